//! Operators, as methods and as Rust's own.

use std::ops::{Add, BitAnd, BitOr, Div, Mul, Neg, Not, Rem, Sub};

use super::{Column, Operand};

/// Methods that apply one function to the column and one more operand.
macro_rules! binary {
    ($($(#[$doc:meta])* $method:ident => $function:literal;)*) => {
        impl Column {$(
            $(#[$doc])*
            pub fn $method(self, other: impl Operand) -> Self {
                self.with($function, [other.into_operand()])
            }
        )*}
    };
}

// Named as in the official client; `==` cannot give a column in Rust.
#[expect(clippy::should_implement_trait, reason = "these build expressions")]
mod named {
    use super::{Column, Operand};

    binary! {
        /// `self = other`; `NULL` if one of them is.
        eq => "==";
        /// `self > other`.
        gt => ">";
        /// `self < other`.
        lt => "<";
        /// `self >= other`.
        ge => ">=";
        /// `self <= other`.
        le => "<=";
        /// `self = other`, where `NULL` equals `NULL`.
        eq_null_safe => "<=>";
        /// `self + other`.
        add => "+";
        /// `self - other`.
        sub => "-";
        /// `self * other`.
        mul => "*";
        /// `self / other`, never a whole number division.
        div => "/";
        /// `self % other`.
        modulo => "%";
        /// Both hold.
        and => "and";
        /// One of them holds.
        or => "or";
        /// The bits that both have.
        bitwise_and => "&";
        /// The bits that one of them has.
        bitwise_or => "|";
        /// The bits that only one of them has.
        bitwise_xor => "^";
        /// Matches a pattern of SQL: `%` is any text, `_` any character.
        like => "like";
        /// Like [`like`](Column::like), whatever the case.
        ilike => "ilike";
        /// Matches a regular expression.
        rlike => "rlike";
        /// Contains the text.
        contains => "contains";
        /// Begins with the text.
        startswith => "startswith";
        /// Ends with the text.
        endswith => "endswith";
    }

    impl Column {
        /// `self != other`.
        pub fn ne(self, other: impl Operand) -> Self {
            self.eq(other).not()
        }

        /// Does not hold.
        pub fn not(self) -> Self {
            self.with("not", [])
        }

        /// `-self`.
        pub fn neg(self) -> Self {
            self.with("negative", [])
        }
    }
}

impl Column {
    /// Is `NULL`.
    pub fn is_null(self) -> Self {
        self.with("isnull", [])
    }

    /// Is not `NULL`.
    pub fn is_not_null(self) -> Self {
        self.with("isnotnull", [])
    }

    /// Is not a number.
    pub fn is_nan(self) -> Self {
        self.with("isnan", [])
    }

    /// `length` characters from `start`, counted from 1.
    pub fn substr(self, start: impl Operand, length: impl Operand) -> Self {
        self.with("substr", [start.into_operand(), length.into_operand()])
    }

    /// `lower <= self and self <= upper`.
    pub fn between(self, lower: impl Operand, upper: impl Operand) -> Self {
        self.clone().ge(lower).and(self.le(upper))
    }

    /// Is one of the values. Strings are literals.
    ///
    /// ```
    /// use tidebook::prelude::*;
    ///
    /// assert_eq!(col("kind").isin(["buy", "sell"]).to_string(), "(kind IN (buy, sell))");
    /// ```
    pub fn isin<V: Operand>(self, values: impl IntoIterator<Item = V>) -> Self {
        self.with("in", values.into_iter().map(V::into_operand))
    }
}

macro_rules! operators {
    ($($trait:ident $method:ident;)*) => {$(
        impl<R: Operand> $trait<R> for Column {
            type Output = Column;

            fn $method(self, other: R) -> Column {
                Column::$method(self, other)
            }
        }

        operators!(@number $trait $method: i32 i64 f64);
    )*};
    (@number $trait:ident $method:ident: $($number:ty)*) => {$(
        impl $trait<Column> for $number {
            type Output = Column;

            fn $method(self, other: Column) -> Column {
                Column::$method(self.into_operand(), other)
            }
        }
    )*};
}

operators! {
    Add add;
    Sub sub;
    Mul mul;
    Div div;
}

impl<R: Operand> Rem<R> for Column {
    type Output = Column;

    fn rem(self, other: R) -> Column {
        self.modulo(other)
    }
}

impl BitAnd for Column {
    type Output = Column;

    fn bitand(self, other: Column) -> Column {
        self.and(other)
    }
}

impl BitOr for Column {
    type Output = Column;

    fn bitor(self, other: Column) -> Column {
        self.or(other)
    }
}

impl Not for Column {
    type Output = Column;

    fn not(self) -> Column {
        Column::not(self)
    }
}

impl Neg for Column {
    type Output = Column;

    fn neg(self) -> Column {
        Column::neg(self)
    }
}

#[cfg(test)]
mod tests {
    use crate::prelude::*;

    #[test]
    fn operators_read_like_sql() {
        let check = |column: Column, text: &str| assert_eq!(column.to_string(), text);
        check(1 + col("a") * 2.0, "(1 + (a * 2.0))");
        check(
            !col("a").eq("x") & col("b").is_null(),
            "((NOT (a = x)) AND (b IS NULL))",
        );
        check(-col("a") % 3, "(negative(a) % 3)");
        check(col("a").between(1, lit(2)), "((a >= 1) AND (a <= 2))");
        check(col("a").ne(None::<i64>), "(NOT (a = NULL))");
    }
}
