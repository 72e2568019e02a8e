//! JSON and structs.

use super::functions;

functions! {
    /// Text in JSON as a struct, by a schema such as `user STRING, amount DOUBLE`. What cannot be
    /// read becomes `NULL`.
    ///
    /// ```
    /// use tidebook::prelude::*;
    ///
    /// let event = from_json(col("value").cast("string"), "user STRING, amount DOUBLE").alias("event");
    /// let user = col("event.user");
    /// # let _ = (event, user);
    /// ```
    fn from_json(column: column, schema: value);
    /// A struct, array or map as text in JSON.
    ///
    /// ```
    /// use tidebook::prelude::*;
    ///
    /// assert_eq!(to_json(struct_(["user", "n"])).to_string(), "to_json(struct(user, n))");
    /// ```
    fn to_json(column: column);
    /// Text in CSV as a struct.
    fn from_csv(column: column, schema: value);
    /// A struct as text in CSV.
    fn to_csv(column: column);
    /// The part of a JSON text at a path such as `$.user.id`, as text.
    ///
    /// ```
    /// use tidebook::prelude::*;
    ///
    /// assert_eq!(get_json_object("value", "$.id").to_string(), "get_json_object(value, $.id)");
    /// ```
    fn get_json_object(column: column, path: value);
    /// How many elements a JSON array has.
    fn json_array_length(column: column);
    /// The keys of a JSON object.
    fn json_object_keys(column: column);
    /// The schema of a JSON text.
    fn schema_of_json(json: value);
}

super::variadic! {
    /// Columns of a JSON text, by their names after it.
    fn json_tuple;
    /// Columns as one struct.
    ///
    /// ```
    /// use tidebook::prelude::*;
    ///
    /// assert_eq!(r#struct(["user", "n"]).to_string(), "struct(user, n)");
    /// ```
    fn r#struct = "struct";
    /// The same as [`struct`](fn@struct), without the raw name.
    ///
    /// ```
    /// use tidebook::prelude::*;
    ///
    /// assert_eq!(struct_(["user", "n"]).to_string(), "struct(user, n)");
    /// ```
    fn struct_ = "struct";
    /// A struct of names and values in turn.
    fn named_struct;
}
