//! `hmac`: what a message and a secret key have as their digest together.

use md5::{Digest, Md5};
use sha1::Sha1;
use sha2::{Sha224, Sha256, Sha384, Sha512};

use crate::error::{Error, Result};
use crate::functions::scalar::{Returns, SCALAR, Scalar};
use crate::functions::takes::Takes;

pub(super) const HMAC: &[Scalar] = &[Scalar {
    name: "hmac",
    forms: &[
        &[Takes::Binary, Takes::Binary],
        &[Takes::Binary, Takes::Binary, Takes::Text],
    ],
    returns: Returns::Binary,
    call: |call| {
        call.binaries(|row| {
            let (key, message) = (call.bytes(0, row)?, call.bytes(1, row)?);
            keyed(key, message, call.str_or(2, row, "SHA-256")?).map(Some)
        })
    },
    doc: "The code of a message under a secret key, by HMAC with SHA-256 or the digest that is named.",
    example: "SELECT hex(hmac('key', 'tide'))",
    ..SCALAR
}];

fn keyed(key: &[u8], message: &[u8], digest: &str) -> Result<Vec<u8>> {
    if key.is_empty() {
        return Err(Error::runtime("the key of hmac is empty")
            .with_condition("INVALID_PARAMETER_VALUE.HMAC_CRYPTO_ERROR")
            .with_hint("give it a key of one byte or more"));
    }
    let of: fn(&[u8], &[u8], usize) -> Vec<u8> =
        match digest.to_uppercase().replace('-', "").as_str() {
            "MD5" => code::<Md5>,
            "SHA1" => code::<Sha1>,
            "SHA224" => code::<Sha224>,
            "SHA256" => code::<Sha256>,
            "SHA384" => return Ok(code::<Sha384>(key, message, 128)),
            "SHA512" => return Ok(code::<Sha512>(key, message, 128)),
            _ => {
                return Err(Error::runtime(format!("there is no digest '{digest}'"))
                    .with_condition("INVALID_PARAMETER_VALUE.HMAC_ALGORITHM")
                    .with_hint("use MD5, SHA-1, SHA-224, SHA-256, SHA-384 or SHA-512"));
            }
        };
    Ok(of(key, message, 64))
}

/// RFC 2104: the digest of the message behind the key, behind the key in turn. `block` is how many bytes
/// the digest takes at once.
fn code<D: Digest>(key: &[u8], message: &[u8], block: usize) -> Vec<u8> {
    let mut padded = match key.len() > block {
        true => D::digest(key).to_vec(),
        false => key.to_vec(),
    };
    padded.resize(block, 0);
    let marked = |mark: u8| padded.iter().map(|byte| byte ^ mark).collect::<Vec<u8>>();
    let inner = D::new().chain_update(marked(0x36)).chain_update(message);
    let outer = D::new().chain_update(marked(0x5c));
    outer.chain_update(inner.finalize()).finalize().to_vec()
}
