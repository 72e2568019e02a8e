//! Numbers, bits and what chooses between values.

#[macro_use]
mod by_type;
mod bitmaps;
mod bits;
mod buckets;
mod conditions;
mod doubles;
mod extremes;
mod generator;
pub(super) mod lengths;
mod logarithms;
mod nulls;
pub(super) mod radix;
mod random;
mod rounded;
mod rounding;
mod session;
mod signs;
pub(super) mod times;
mod trigonometry;

use datafusion::logical_expr::ScalarUDF;

pub(crate) use random::entropy;

use super::scalar::Scalar;

/// The tables of this theme.
pub(super) const TABLES: &[&[Scalar]] = &[
    bitmaps::TABLE,
    bits::TABLE,
    buckets::TABLE,
    conditions::TABLE,
    extremes::TABLE,
    logarithms::TABLE,
    nulls::TABLE,
    radix::TABLE,
    rounding::TABLE,
    session::TABLE,
    signs::TABLE,
    trigonometry::TABLE,
];

/// Functions that remember: random numbers, and numbers of rows.
pub(super) fn remembering_functions() -> Vec<ScalarUDF> {
    random::functions()
}
