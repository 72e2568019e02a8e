//! Messages of a plan as bytes: nested as deep as the engine allows, and no deeper.

use std::marker::PhantomData;

use prost::Message;
use prost::bytes::Buf as _;
use tidebook_engine::connect::{Deep, read_message};
use tonic::Status;
use tonic::codec::{Codec, DecodeBuf, Decoder};
use tonic_prost::ProstCodec;

/// Reads requests that hold a plan, writes responses.
pub(crate) struct PlanCodec<T, U>(PhantomData<(T, U)>);

impl<T, U> Default for PlanCodec<T, U> {
    fn default() -> Self {
        Self(PhantomData)
    }
}

impl<T, U> Codec for PlanCodec<T, Deep<U>>
where
    T: Message + Send + 'static,
    U: Message + Default + Send + 'static,
{
    type Encode = T;
    type Decode = Deep<U>;
    type Encoder = <ProstCodec<T, U> as Codec>::Encoder;
    type Decoder = PlanDecoder<U>;

    fn encoder(&mut self) -> Self::Encoder {
        ProstCodec::<T, U>::default().encoder()
    }

    fn decoder(&mut self) -> Self::Decoder {
        PlanDecoder(PhantomData)
    }
}

/// Reads one message, whose nesting it has looked at first.
pub(crate) struct PlanDecoder<U>(PhantomData<U>);

impl<U: Message + Default> Decoder for PlanDecoder<U> {
    type Item = Deep<U>;
    type Error = Status;

    fn decode(&mut self, from: &mut DecodeBuf<'_>) -> Result<Option<Self::Item>, Status> {
        let bytes = from.copy_to_bytes(from.remaining());
        read_message(&bytes)
            .map(Some)
            .map_err(|error| Status::invalid_argument(error.to_string()))
    }
}
