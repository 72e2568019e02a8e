//! Powers, roots and logarithms. What has no logarithm gives NULL.

use std::f64::consts::{E, LN_2, PI};
use std::sync::Arc;

use arrow::array::{ArrayRef, Float64Array, Int64Array};
use arrow::datatypes::Int32Type;

use super::super::scalar::{Call, Returns, SCALAR, Scalar};
use super::super::takes::Takes;
use super::doubles::{map, map_some, map_two, of_one, of_two};
use crate::error::Result;

/// Functions of powers.
pub(super) const TABLE: &[Scalar] = &[
    of_one(
        "cbrt",
        |call| map(call, f64::cbrt),
        "The cube root.",
        "SELECT cbrt(27)",
    ),
    Scalar {
        forms: &[&[]],
        ..of_one(
            "e",
            |call| constant(call, E),
            "Euler's number.",
            "SELECT e()",
        )
    },
    of_one(
        "exp",
        |call| map(call, f64::exp),
        "Euler's number to this power.",
        "SELECT exp(1)",
    ),
    of_one(
        "expm1",
        |call| map(call, f64::exp_m1),
        "Euler's number to this power, less one: exact for small powers.",
        "SELECT expm1(0.001)",
    ),
    Scalar {
        name: "factorial",
        forms: &[&[Takes::Int]],
        returns: Returns::Long,
        call: factorial,
        doc: "The product of all whole numbers from 1 to this one; NULL if it is not from 0 to 20.",
        example: "SELECT factorial(4)",
        ..SCALAR
    },
    of_one(
        "ln",
        |call| map_some(call, ln),
        "The natural logarithm; NULL for what has none.",
        "SELECT ln(10)",
    ),
    Scalar {
        forms: &[&[Takes::Double], &[Takes::Double, Takes::Double]],
        ..of_one(
            "log",
            |call| match call.len() {
                1 => map_some(call, ln),
                _ => map_two(call, |base, x| Some(ln(x)? / ln(base)?)),
            },
            "The logarithm to a base, the first of two arguments; the natural one without.",
            "SELECT log(2, 8)",
        )
    },
    of_one(
        "log10",
        |call| map_some(call, |x| has_logarithm(x).then(|| x.log10())),
        "The logarithm to the base 10; NULL for what has none.",
        "SELECT log10(1000)",
    ),
    of_one(
        "log1p",
        |call| map_some(call, |x| has_logarithm(x + 1.0).then(|| x.ln_1p())),
        "The natural logarithm of one more: exact for small numbers.",
        "SELECT log1p(0.001)",
    ),
    of_one(
        "log2",
        |call| map_some(call, |x| Some(ln(x)? / LN_2)),
        "The logarithm to the base 2; NULL for what has none.",
        "SELECT log2(8)",
    ),
    Scalar {
        forms: &[&[]],
        ..of_one(
            "pi",
            |call| constant(call, PI),
            "The number pi.",
            "SELECT pi()",
        )
    },
    Scalar {
        aliases: &["pow"],
        ..of_two(
            "power",
            |call| map_two(call, |base, exponent| Some(power(base, exponent))),
            "The first number to the power of the second.",
            "SELECT power(2, 10)",
        )
    },
    of_one(
        "sqrt",
        |call| map(call, f64::sqrt),
        "The square root; NaN for what has none.",
        "SELECT sqrt(16)",
    ),
];

fn constant(call: &Call<'_>, value: f64) -> Result<ArrayRef> {
    Ok(Arc::new(Float64Array::from(vec![value; call.rows])))
}

fn factorial(call: &Call<'_>) -> Result<ArrayRef> {
    let product = |n: i32| (0..=20).contains(&n).then(|| (1..=i64::from(n)).product());
    let values: Int64Array = call.primitive::<Int32Type>(0)?.unary_opt(product);
    Ok(Arc::new(values))
}

fn has_logarithm(x: f64) -> bool {
    x > 0.0 || x.is_nan()
}

fn ln(x: f64) -> Option<f64> {
    has_logarithm(x).then(|| x.ln())
}

/// One to a power that is none, or that has no end, is no number.
fn power(base: f64, exponent: f64) -> f64 {
    match exponent.is_nan() || (base.abs() == 1.0 && exponent.is_infinite()) {
        true => f64::NAN,
        false => base.powf(exponent),
    }
}
