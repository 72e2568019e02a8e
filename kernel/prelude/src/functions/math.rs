//! Numbers.

use super::functions;

functions! {
    /// Without its sign.
    fn abs(column: column);
    /// The square root.
    fn sqrt(column: column);
    /// The cube root.
    fn cbrt(column: column);
    /// e to the power.
    fn exp(column: column);
    /// e to the power, less 1.
    fn expm1(column: column);
    /// The natural logarithm.
    fn ln(column: column);
    /// The natural logarithm.
    fn log(column: column) = "ln";
    /// The logarithm to base 2.
    fn log2(column: column);
    /// The logarithm to base 10.
    fn log10(column: column);
    /// The natural logarithm of 1 more.
    fn log1p(column: column);
    /// The next whole number above.
    fn ceil(column: column);
    /// The next whole number above.
    fn ceiling(column: column) = "ceil";
    /// The next whole number below.
    fn floor(column: column);
    /// The nearest whole number, half away from zero.
    fn round(column: column);
    /// To so many decimals, half away from zero.
    ///
    /// ```
    /// use tidebook::prelude::*;
    ///
    /// assert_eq!(round_scale(avg("amount"), 2).to_string(), "round(avg(amount), 2)");
    /// ```
    fn round_scale(column: column, scale: value) = "round";
    /// The nearest whole number, half to even.
    fn bround(column: column);
    /// To so many decimals, half to even.
    fn bround_scale(column: column, scale: value) = "bround";
    /// The nearest whole number, half to even, as `DOUBLE`.
    fn rint(column: column);
    /// -1, 0 or 1.
    fn sign(column: column);
    /// -1, 0 or 1.
    fn signum(column: column);
    /// With the other sign.
    fn negative(column: column);
    /// With the other sign.
    fn negate(column: column) = "negative";
    /// As it is.
    fn positive(column: column);
    /// A power.
    fn pow(base: column, exponent: value) = "power";
    /// A power.
    fn power(base: column, exponent: value);
    /// The remainder, never negative.
    fn pmod(dividend: column, divisor: value);
    /// The length of a hypotenuse.
    fn hypot(a: column, b: column);
    /// n! as `BIGINT`.
    fn factorial(column: column);
    /// The sine.
    fn sin(column: column);
    /// The cosine.
    fn cos(column: column);
    /// The tangent.
    fn tan(column: column);
    /// The arc sine.
    fn asin(column: column);
    /// The arc cosine.
    fn acos(column: column);
    /// The arc tangent.
    fn atan(column: column);
    /// The angle of a point.
    fn atan2(y: column, x: column);
    /// The hyperbolic sine.
    fn sinh(column: column);
    /// The hyperbolic cosine.
    fn cosh(column: column);
    /// The hyperbolic tangent.
    fn tanh(column: column);
    /// Radians as degrees.
    fn degrees(column: column);
    /// Degrees as radians.
    fn radians(column: column);
    /// π.
    fn pi();
    /// e.
    fn e();
    /// In binary digits.
    fn bin(column: column);
    /// In hexadecimal digits.
    fn hex(column: column);
    /// Bytes from hexadecimal digits.
    fn unhex(column: column);
    /// Digits of one base in another.
    fn conv(column: column, from_base: value, to_base: value);
    /// How many bits are set.
    fn bit_count(column: column);
    /// The bits the other way round.
    fn bitwise_not(column: column) = "~";
    /// Shifted to the left.
    fn shiftleft(column: column, bits: value);
    /// Shifted to the right.
    fn shiftright(column: column, bits: value);
    /// Shifted to the right, with zeros.
    fn shiftrightunsigned(column: column, bits: value);
    /// Which of so many equal buckets between two bounds.
    fn width_bucket(column: column, low: value, high: value, buckets: value);
    /// A sum, `NULL` instead of an overflow.
    fn try_add(left: column, right: column);
    /// A difference, `NULL` instead of an overflow.
    fn try_subtract(left: column, right: column);
    /// A product, `NULL` instead of an overflow.
    fn try_multiply(left: column, right: column);
    /// A quotient, `NULL` where the divisor is 0.
    fn try_divide(left: column, right: column);
}
