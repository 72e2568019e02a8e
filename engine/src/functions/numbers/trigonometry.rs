//! Angles and what belongs to them.

use super::super::scalar::Scalar;
use super::doubles::{map, map_two, of_one, of_two};

/// Functions of angles.
pub(super) const TABLE: &[Scalar] = &[
    of_one(
        "acos",
        |call| map(call, f64::acos),
        "The angle with this cosine.",
        "SELECT acos(1)",
    ),
    of_one(
        "acosh",
        |call| map(call, acosh),
        "The area with this hyperbolic cosine.",
        "SELECT acosh(1)",
    ),
    of_one(
        "asin",
        |call| map(call, f64::asin),
        "The angle with this sine.",
        "SELECT asin(0)",
    ),
    of_one(
        "asinh",
        |call| map(call, f64::asinh),
        "The area with this hyperbolic sine.",
        "SELECT asinh(0)",
    ),
    of_one(
        "atan",
        |call| map(call, f64::atan),
        "The angle with this tangent.",
        "SELECT atan(1)",
    ),
    of_two(
        "atan2",
        // A negative zero is a zero.
        |call| map_two(call, |y, x| Some((y + 0.0).atan2(x + 0.0))),
        "The angle between the x axis and the point at y and x.",
        "SELECT atan2(1, 1)",
    ),
    of_one(
        "atanh",
        |call| map(call, |x| 0.5 * (x.ln_1p() - (-x).ln_1p())),
        "The area with this hyperbolic tangent.",
        "SELECT atanh(0.5)",
    ),
    of_one(
        "cos",
        |call| map(call, f64::cos),
        "The cosine of an angle.",
        "SELECT cos(pi())",
    ),
    of_one(
        "cosh",
        |call| map(call, cosh),
        "The hyperbolic cosine.",
        "SELECT cosh(0)",
    ),
    of_one(
        "cot",
        |call| map(call, |x| 1.0 / x.tan()),
        "The cotangent of an angle.",
        "SELECT cot(1)",
    ),
    of_one(
        "csc",
        |call| map(call, |x| 1.0 / x.sin()),
        "The cosecant of an angle.",
        "SELECT csc(1)",
    ),
    of_one(
        "degrees",
        |call| map(call, f64::to_degrees),
        "An angle in degrees that is given in radians.",
        "SELECT degrees(pi())",
    ),
    of_two(
        "hypot",
        |call| map_two(call, |x, y| Some(x.hypot(y))),
        "The long side of a right triangle with these two.",
        "SELECT hypot(5, 12)",
    ),
    of_one(
        "radians",
        |call| map(call, f64::to_radians),
        "An angle in radians that is given in degrees.",
        "SELECT radians(90)",
    ),
    of_one(
        "sec",
        |call| map(call, |x| 1.0 / x.cos()),
        "The secant of an angle.",
        "SELECT sec(0)",
    ),
    of_one(
        "sin",
        |call| map(call, f64::sin),
        "The sine of an angle.",
        "SELECT sin(pi() / 2)",
    ),
    of_one(
        "sinh",
        |call| map(call, sinh),
        "The hyperbolic sine.",
        "SELECT sinh(0)",
    ),
    of_one(
        "tan",
        |call| map(call, f64::tan),
        "The tangent of an angle.",
        "SELECT tan(0)",
    ),
    of_one(
        "tanh",
        |call| map(call, f64::tanh),
        "The hyperbolic tangent.",
        "SELECT tanh(0)",
    ),
];

// Hyperbolic functions by the formulas of Java's mathematics, so that the last digit is the same.

/// Where the square of a number is as good as the square plus one.
const LARGE: f64 = 268_435_456.0;

fn acosh(x: f64) -> f64 {
    match x {
        x if x < 1.0 => f64::NAN,
        x if x >= LARGE => x.ln() + std::f64::consts::LN_2,
        x if x > 2.0 => (2.0 * x - 1.0 / (x + (x * x - 1.0).sqrt())).ln(),
        x => {
            let t = x - 1.0;
            (t + (2.0 * t + t * t).sqrt()).ln_1p()
        }
    }
}

fn cosh(x: f64) -> f64 {
    match x.abs() {
        x if x < 0.5 * std::f64::consts::LN_2 => {
            let t = x.exp_m1();
            let w = 1.0 + t;
            1.0 + t * t / (w + w)
        }
        x if x < 22.0 => {
            let t = x.exp();
            0.5 * t + 0.5 / t
        }
        x => x.cosh(),
    }
}

fn sinh(x: f64) -> f64 {
    let half = 0.5_f64.copysign(x);
    let t = x.abs().exp_m1();
    match x.abs() {
        size if size < 1.0 => half * (2.0 * t - t * t / (t + 1.0)),
        size if size < 22.0 => half * (t + t / (t + 1.0)),
        _ => x.sinh(),
    }
}
