//! Conditions, `NULL`, and what fits nowhere else.

use super::functions;

functions! {
    /// Is `NULL`.
    fn isnull(column: column);
    /// Is not `NULL`.
    fn isnotnull(column: column);
    /// Is not a number.
    fn isnan(column: column);
    /// The value, or the other one if it is `NULL`.
    fn nvl(column: column, otherwise: column);
    /// The value, or the other one if it is `NULL`.
    fn ifnull(column: column, otherwise: column);
    /// The second if the first is not `NULL`, else the third.
    fn nvl2(column: column, then: column, otherwise: column);
    /// `NULL` if both are equal, else the first.
    fn nullif(column: column, other: column);
    /// The first, or the second if the first is not a number.
    fn nanvl(column: column, otherwise: column);
    /// Whether both are equal, where `NULL` equals `NULL`.
    fn equal_null(left: column, right: column);
    /// The greater value; `NULL` only if both are.
    fn greatest(left: column, right: value);
    /// The lesser value; `NULL` only if both are.
    fn least(left: column, right: value);
    /// The name of the type.
    fn r#typeof(column: column) = "typeof";
    /// Fails if the condition does not hold.
    fn assert_true(condition: column);
    /// Fails with the message.
    fn raise_error(message: value);
    /// A number that is different in every row, and grows.
    fn monotonically_increasing_id();
    /// The partition of the row.
    fn spark_partition_id();
    /// The file the row was read from.
    fn input_file_name();
    /// A random number from 0 to 1.
    fn rand();
    /// A random number of the standard normal distribution.
    fn randn();
    /// A random UUID.
    fn uuid();
    /// The user.
    fn current_user();
    /// The current database.
    fn current_database();
    /// The engine's version.
    fn version();
    /// Checksum of bytes.
    fn crc32(column: column);
    /// MD5 of bytes, in hexadecimal digits.
    fn md5(column: column);
    /// SHA-1 of bytes, in hexadecimal digits.
    fn sha1(column: column);
    /// SHA-2 of bytes with 224, 256, 384 or 512 bits, in hexadecimal digits.
    fn sha2(column: column, bits: value);
}

super::variadic! {
    /// The first value that is not `NULL`.
    ///
    /// ```
    /// use tidebook::prelude::*;
    ///
    /// assert_eq!(coalesce([col("name"), lit("?")]).to_string(), "coalesce(name, ?)");
    /// ```
    fn coalesce;
    /// A hash of all values, as `INT`.
    fn hash;
    /// A hash of all values, as `BIGINT`.
    fn xxhash64;
}
