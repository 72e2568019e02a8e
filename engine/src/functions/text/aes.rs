//! `aes_encrypt`, `aes_decrypt` and `try_aes_decrypt`: bytes that only who has the key can read.

use aes::cipher::block_padding::Pkcs7;
use aes::cipher::consts::{U12, U16};
use aes::cipher::{
    BlockCipherDecrypt, BlockCipherEncrypt, BlockModeDecrypt, BlockModeEncrypt, BlockSizeUser,
    KeyInit, KeyIvInit,
};
use aes::{Aes128, Aes192, Aes256};
use aes_gcm::AesGcm;
use aes_gcm::aead::{Aead, Nonce, Payload};
use arrow::array::ArrayRef;
use sha2::{Digest, Sha256};

use crate::error::{Error, Result};
use crate::functions::scalar::{Call, Returns, SCALAR, Scalar};
use crate::functions::takes::Takes;

const ENCRYPTS: &[&[Takes]] = &[
    &[Takes::Binary, Takes::Binary],
    &[Takes::Binary, Takes::Binary, Takes::Text],
    &[Takes::Binary, Takes::Binary, Takes::Text, Takes::Text],
    &[
        Takes::Binary,
        Takes::Binary,
        Takes::Text,
        Takes::Text,
        Takes::Binary,
    ],
    &[
        Takes::Binary,
        Takes::Binary,
        Takes::Text,
        Takes::Text,
        Takes::Binary,
        Takes::Binary,
    ],
];

/// The same without a vector: that is part of what was encrypted.
const DECRYPTS: &[&[Takes]] = ENCRYPTS.split_at(4).0;

pub(super) const AES: &[Scalar] = &[
    Scalar {
        name: "aes_encrypt",
        forms: ENCRYPTS,
        returns: Returns::Binary,
        call: |call| {
            call.binaries(|row| {
                let (mode, key) = mode_and_key(call, row)?;
                let given = [bytes_or_none(call, 4, row)?, bytes_or_none(call, 5, row)?];
                mode.encrypt(key, call.bytes(0, row)?, given).map(Some)
            })
        },
        doc: "The bytes encrypted by AES, behind the initialization vector: GCM if no mode (ECB, CBC, GCM) is named.",
        example: "SELECT base64(aes_encrypt('tide', '1234567890abcdef', 'ECB'))",
        ..SCALAR
    },
    Scalar {
        name: "aes_decrypt",
        forms: DECRYPTS,
        returns: Returns::Binary,
        call: decrypted,
        doc: "The bytes that aes_encrypt has encrypted with the same key and mode.",
        example: "SELECT aes_decrypt(aes_encrypt('tide', '1234567890abcdef'), '1234567890abcdef')",
        ..SCALAR
    },
    Scalar {
        name: "try_aes_decrypt",
        forms: DECRYPTS,
        returns: Returns::Binary,
        call: |call| call.binaries(|row| Ok(decrypt(call, row).ok())),
        doc: "The same as aes_decrypt, and NULL for what cannot be decrypted.",
        example: "SELECT try_aes_decrypt(X'00', '1234567890abcdef')",
        ..SCALAR
    },
];

fn decrypted(call: &Call<'_>) -> Result<ArrayRef> {
    call.binaries(|row| decrypt(call, row).map(Some))
}

fn decrypt(call: &Call<'_>, row: usize) -> Result<Vec<u8>> {
    let (mode, key) = mode_and_key(call, row)?;
    let message = call.bytes(0, row)?;
    mode.decrypt(key, message, bytes_or_none(call, 4, row)?)
}

/// Bytes of a row, none if there are not so many arguments.
fn bytes_or_none<'a>(call: &'a Call<'_>, index: usize, row: usize) -> Result<&'a [u8]> {
    match index < call.len() {
        true => call.bytes(index, row),
        false => Ok(&[]),
    }
}

fn mode_and_key<'a>(call: &'a Call<'_>, row: usize) -> Result<(Mode, Key<'a>)> {
    let key = Key::of(call.bytes(1, row)?)?;
    let (mode, padding) = (call.str_or(2, row, "GCM")?, call.str_or(3, row, "DEFAULT")?);
    Ok((Mode::of(mode, padding)?, key))
}

/// A key of a length that AES has.
#[derive(Clone, Copy)]
enum Key<'a> {
    Short(&'a [u8]),
    Middle(&'a [u8]),
    Long(&'a [u8]),
}

impl<'a> Key<'a> {
    fn of(bytes: &'a [u8]) -> Result<Self> {
        match bytes.len() {
            16 => Ok(Self::Short(bytes)),
            24 => Ok(Self::Middle(bytes)),
            32 => Ok(Self::Long(bytes)),
            other => Err(Error::runtime(format!(
                "a key of AES has 16, 24 or 32 bytes, not {other}"
            ))
            .with_condition("INVALID_PARAMETER_VALUE.AES_KEY_LENGTH")
            .with_hint("make a key of that length, e.g. unhex(md5(secret)) for 16 bytes")),
        }
    }
}

/// How blocks hang together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mode {
    Ecb,
    Cbc,
    Gcm,
}

impl Mode {
    fn of(mode: &str, padding: &str) -> Result<Self> {
        match (
            mode.to_uppercase().as_str(),
            padding.to_uppercase().as_str(),
        ) {
            ("ECB", "PKCS" | "DEFAULT") => Ok(Self::Ecb),
            ("CBC", "PKCS" | "DEFAULT") => Ok(Self::Cbc),
            ("GCM", "NONE" | "DEFAULT") => Ok(Self::Gcm),
            _ => Err(Error::runtime(format!(
                "there is no mode '{mode}' of AES with the padding '{padding}'"
            ))
            .with_condition("UNSUPPORTED_FEATURE.AES_MODE")
            .with_hint("use ECB or CBC with PKCS, or GCM with NONE; DEFAULT is right for each")),
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Ecb => "ECB",
            Self::Cbc => "CBC",
            Self::Gcm => "GCM",
        }
    }

    /// How many bytes its initialization vector has.
    fn vector_length(self) -> usize {
        match self {
            Self::Ecb => 0,
            Self::Cbc => 16,
            Self::Gcm => 12,
        }
    }

    /// The initialization vector and the encrypted message behind it. Without a vector one is made.
    fn encrypt(self, key: Key<'_>, message: &[u8], [vector, data]: [&[u8]; 2]) -> Result<Vec<u8>> {
        let wanted = self.vector_length();
        let vector = match vector {
            // A digest, since some bits of an id are always the same.
            [] => Sha256::digest(uuid::Uuid::new_v4())
                .into_iter()
                .take(wanted)
                .collect(),
            _ if self == Self::Ecb => {
                return Err(self.refused("AES_MODE_IV", "an initialization vector"));
            }
            given if given.len() == wanted => given.to_vec(),
            given => {
                return Err(Error::runtime(format!(
                    "an initialization vector of {} has {wanted} bytes, not {}",
                    self.name(),
                    given.len()
                ))
                .with_condition("INVALID_PARAMETER_VALUE.AES_IV_LENGTH")
                .with_hint("leave it out (''): then one is made and put before the message"));
            }
        };
        self.check_data(data)?;
        let encrypted = match key {
            Key::Short(key) => self.encrypted::<Aes128>(key, &vector, message, data),
            Key::Middle(key) => self.encrypted::<Aes192>(key, &vector, message, data),
            Key::Long(key) => self.encrypted::<Aes256>(key, &vector, message, data),
        };
        let encrypted = encrypted.ok_or_else(|| failed("the message cannot be encrypted"))?;
        Ok([vector, encrypted].concat())
    }

    /// The message that is behind its initialization vector.
    fn decrypt(self, key: Key<'_>, message: &[u8], data: &[u8]) -> Result<Vec<u8>> {
        let wrong =
            || failed("the message was not encrypted with this key and mode, or is damaged");
        if self != Self::Ecb {
            self.check_data(data)?;
        }
        let (vector, message) = message
            .split_at_checked(self.vector_length())
            .ok_or_else(wrong)?;
        let decrypted = match key {
            Key::Short(key) => self.decrypted::<Aes128>(key, vector, message, data),
            Key::Middle(key) => self.decrypted::<Aes192>(key, vector, message, data),
            Key::Long(key) => self.decrypted::<Aes256>(key, vector, message, data),
        };
        decrypted.ok_or_else(wrong)
    }

    fn check_data(self, data: &[u8]) -> Result<()> {
        match data.is_empty() || self == Self::Gcm {
            true => Ok(()),
            false => Err(self.refused("AES_MODE_AAD", "additional authenticated data")),
        }
    }

    fn refused(self, condition: &str, what: &str) -> Error {
        Error::runtime(format!("AES in the mode {} takes no {what}", self.name()))
            .with_condition(format!("UNSUPPORTED_FEATURE.{condition}"))
            .with_hint("leave it out, or use the mode GCM")
    }

    fn encrypted<C>(self, key: &[u8], vector: &[u8], message: &[u8], data: &[u8]) -> Option<Vec<u8>>
    where
        C: BlockCipherEncrypt + BlockSizeUser<BlockSize = U16> + KeyInit,
    {
        match self {
            Self::Ecb => {
                let cipher = ecb::Encryptor::<C>::new_from_slice(key).ok()?;
                Some(cipher.encrypt_padded_vec::<Pkcs7>(message))
            }
            Self::Cbc => {
                let cipher = cbc::Encryptor::<C>::new_from_slices(key, vector).ok()?;
                Some(cipher.encrypt_padded_vec::<Pkcs7>(message))
            }
            Self::Gcm => {
                let cipher = Gcm::<C>::new_from_slice(key).ok()?;
                let nonce = Nonce::<Gcm<C>>::try_from(vector).ok()?;
                let payload = Payload {
                    msg: message,
                    aad: data,
                };
                cipher.encrypt(&nonce, payload).ok()
            }
        }
    }

    fn decrypted<C>(self, key: &[u8], vector: &[u8], message: &[u8], data: &[u8]) -> Option<Vec<u8>>
    where
        C: BlockCipherEncrypt + BlockCipherDecrypt + BlockSizeUser<BlockSize = U16> + KeyInit,
    {
        match self {
            // Java gives nothing for nothing.
            Self::Ecb | Self::Cbc if message.is_empty() => Some(Vec::new()),
            Self::Ecb => {
                let cipher = ecb::Decryptor::<C>::new_from_slice(key).ok()?;
                cipher.decrypt_padded_vec::<Pkcs7>(message).ok()
            }
            Self::Cbc => {
                let cipher = cbc::Decryptor::<C>::new_from_slices(key, vector).ok()?;
                cipher.decrypt_padded_vec::<Pkcs7>(message).ok()
            }
            Self::Gcm => {
                let cipher = Gcm::<C>::new_from_slice(key).ok()?;
                let nonce = Nonce::<Gcm<C>>::try_from(vector).ok()?;
                let payload = Payload {
                    msg: message,
                    aad: data,
                };
                cipher.decrypt(&nonce, payload).ok()
            }
        }
    }
}

/// GCM with a vector of 12 bytes and a code of 16.
type Gcm<C> = AesGcm<C, U12>;

fn failed(why: &str) -> Error {
    Error::runtime(why)
        .with_condition("INVALID_PARAMETER_VALUE.AES_CRYPTO_ERROR")
        .with_hint("use try_aes_decrypt to get NULL instead")
}
