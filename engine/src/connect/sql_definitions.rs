//! What those of Spark's functions stand for that are other functions under another name or with
//! other arguments: name, number of arguments, and the call as SQL, in which `$1` is the first
//! argument. The functions in a definition are DataFusion's, also one of the same name.

/// Aggregates.
pub(super) const AGGREGATES: &[(&str, usize, &str)] = &[
    ("any", 1, "bool_or($1)"),
    ("any_value", 1, "first_value($1)"),
    (
        "approx_count_distinct",
        1,
        "CAST(approx_distinct($1) AS BIGINT)",
    ),
    // The error that the second argument allows is larger than the one there is.
    (
        "approx_count_distinct",
        2,
        "CAST(approx_distinct($1) AS BIGINT)",
    ),
    ("approx_percentile", 2, "nearest_rank(collect_list($1), $2)"),
    ("approx_percentile", 3, "nearest_rank(collect_list($1), $2)"),
    ("array_agg", 1, "collect_list($1)"),
    ("count_if", 1, "count(CASE WHEN $1 THEN 1 END)"),
    ("every", 1, "bool_and($1)"),
    ("first", 1, "first_value($1)"),
    ("last", 1, "last_value($1)"),
    (
        "max_by",
        2,
        "last_value($1 ORDER BY $2) FILTER (WHERE $2 IS NOT NULL)",
    ),
    (
        "median",
        1,
        "percentile_cont(CAST($1 AS DOUBLE), CAST(0.5 AS DOUBLE))",
    ),
    (
        "min_by",
        2,
        "first_value($1 ORDER BY $2) FILTER (WHERE $2 IS NOT NULL)",
    ),
    (
        "percentile",
        2,
        "percentile_cont(CAST($1 AS DOUBLE), CAST($2 AS DOUBLE))",
    ),
    ("percentile_approx", 2, "nearest_rank(collect_list($1), $2)"),
    ("percentile_approx", 3, "nearest_rank(collect_list($1), $2)"),
    ("some", 1, "bool_or($1)"),
    ("std", 1, "stddev($1)"),
    ("try_avg", 1, "avg($1)"),
    ("variance", 1, "var_samp($1)"),
];

/// Functions of single rows.
pub(super) const SCALARS: &[(&str, usize, &str)] = &[
    // Text.
    ("char_length", 1, "length($1)"),
    ("character_length", 1, "length($1)"),
    ("endswith", 2, "ends_with($1, $2)"),
    ("len", 1, "length($1)"),
    ("lcase", 1, "lower($1)"),
    ("locate", 2, "instr($2, $1)"),
    (
        "locate",
        3,
        "CASE WHEN $3 < 1 OR instr(substring($2, $3), $1) = 0 THEN 0 ELSE instr(substring($2, $3), $1) + $3 - 1 END",
    ),
    ("regexp_extract", 2, "regexp_extract($1, $2, 1)"),
    ("regexp_replace", 3, "regexp_replace($1, $2, $3, 'g')"),
    ("rlike", 2, "regexp_like($1, $2)"),
    ("regexp", 2, "regexp_like($1, $2)"),
    ("split", 2, "split($1, $2, -1)"),
    ("startswith", 2, "starts_with($1, $2)"),
    ("ucase", 1, "upper($1)"),
    // Numbers and conditions.
    ("e", 0, "exp(CAST(1 AS DOUBLE))"),
    ("isnotnull", 1, "($1 IS NOT NULL)"),
    ("isnull", 1, "($1 IS NULL)"),
    // A logarithm of what has none is NULL.
    ("ln", 1, "CASE WHEN $1 > 0 THEN ln($1) END"),
    ("log", 1, "CASE WHEN $1 > 0 THEN ln($1) END"),
    (
        "log",
        2,
        "CASE WHEN $1 > 0 AND $2 > 0 THEN ln($2) / ln($1) END",
    ),
    ("log10", 1, "CASE WHEN $1 > 0 THEN log10($1) END"),
    ("log1p", 1, "CASE WHEN $1 > -1 THEN log1p($1) END"),
    ("log2", 1, "CASE WHEN $1 > 0 THEN log2($1) END"),
    ("sign", 1, "signum($1)"),
    // Arrays and maps.
    (
        "array_position",
        2,
        "CASE WHEN $1 IS NOT NULL AND $2 IS NOT NULL THEN coalesce(CAST(array_position($1, $2) AS BIGINT), 0) END",
    ),
    ("array_remove", 2, "array_remove_all($1, $2)"),
    (
        "array_size",
        1,
        "CASE WHEN $1 IS NOT NULL THEN size($1) END",
    ),
    (
        "cardinality",
        1,
        "CASE WHEN $1 IS NOT NULL THEN size($1) END",
    ),
    ("exists", 2, "array_any_match($1, $2)"),
    ("explode", 1, "unnest($1)"),
    ("explode_outer", 1, "unnest_outer($1)"),
    ("filter", 2, "array_filter($1, $2)"),
    ("size", 1, "CASE WHEN $1 IS NOT NULL THEN size($1) END"),
    ("sort_array", 1, "array_sort($1, 'ASC', 'NULLS FIRST')"),
    (
        "sort_array",
        2,
        "CASE WHEN $2 THEN array_sort($1, 'ASC', 'NULLS FIRST') ELSE array_sort($1, 'DESC', 'NULLS LAST') END",
    ),
    ("transform", 2, "array_transform($1, $2)"),
    // Time.
    ("add_months", 2, "add_months($1, CAST($2 AS INT))"),
    ("curdate", 0, "current_date()"),
    ("date_add", 2, "date_add($1, CAST($2 AS INT))"),
    ("date_sub", 2, "date_sub($1, CAST($2 AS INT))"),
    ("dateadd", 2, "date_add($1, CAST($2 AS INT))"),
    ("datepart", 2, "date_part($1, $2)"),
    ("day", 1, "date_part('day', $1)"),
    ("dayofmonth", 1, "date_part('day', $1)"),
    ("dayofweek", 1, "date_part('dayofweek', $1)"),
    ("dayofyear", 1, "date_part('doy', $1)"),
    (
        "from_unixtime",
        1,
        "date_format(CAST($1 AS TIMESTAMP), 'yyyy-MM-dd HH:mm:ss')",
    ),
    ("from_unixtime", 2, "date_format(CAST($1 AS TIMESTAMP), $2)"),
    (
        "make_timestamp",
        6,
        "make_timestamp(CAST($1 AS INT), CAST($2 AS INT), CAST($3 AS INT), CAST($4 AS INT), CAST($5 AS INT), CAST($6 AS DECIMAL(16, 6)))",
    ),
    ("month", 1, "date_part('month', $1)"),
    (
        "months_between",
        2,
        "fractional_months(CAST($1 AS TIMESTAMP), CAST($2 AS TIMESTAMP))",
    ),
    ("quarter", 1, "date_part('quarter', $1)"),
    (
        "timestamp_micros",
        1,
        "arrow_cast(CAST($1 AS BIGINT), 'Timestamp(Microsecond, Some(\"UTC\"))')",
    ),
    (
        "timestamp_millis",
        1,
        "arrow_cast(CAST($1 AS BIGINT) * 1000, 'Timestamp(Microsecond, Some(\"UTC\"))')",
    ),
    ("timestamp_seconds", 1, "CAST($1 AS TIMESTAMP)"),
    ("to_date", 1, "CAST($1 AS DATE)"),
    ("to_date", 2, "CAST(parse_timestamp($1, $2) AS DATE)"),
    ("to_timestamp", 1, "CAST($1 AS TIMESTAMP)"),
    ("to_timestamp", 2, "parse_timestamp($1, $2)"),
    (
        "to_unix_timestamp",
        1,
        "(unix_micros(CAST($1 AS TIMESTAMP)) div 1000000)",
    ),
    (
        "to_unix_timestamp",
        2,
        "(unix_micros(parse_timestamp($1, $2)) div 1000000)",
    ),
    (
        "try_make_timestamp",
        6,
        "try_make_timestamp(CAST($1 AS INT), CAST($2 AS INT), CAST($3 AS INT), CAST($4 AS INT), CAST($5 AS INT), CAST($6 AS DECIMAL(16, 6)))",
    ),
    ("try_to_date", 1, "TRY_CAST($1 AS DATE)"),
    (
        "try_to_date",
        2,
        "CAST(try_parse_timestamp($1, $2) AS DATE)",
    ),
    ("try_to_timestamp", 1, "TRY_CAST($1 AS TIMESTAMP)"),
    ("try_to_timestamp", 2, "try_parse_timestamp($1, $2)"),
    ("unix_timestamp", 0, "CAST(current_timestamp() AS BIGINT)"),
    (
        "unix_timestamp",
        1,
        "(unix_micros(CAST($1 AS TIMESTAMP)) div 1000000)",
    ),
    (
        "unix_timestamp",
        2,
        "(unix_micros(parse_timestamp($1, $2)) div 1000000)",
    ),
    ("weekofyear", 1, "date_part('week', $1)"),
    ("year", 1, "date_part('year', $1)"),
];

/// Aggregates whose second argument says whether NULL counts.
pub(super) const IGNORING_NULLS: &[(&str, &str)] = &[
    ("any_value", "first_value"),
    ("first", "first_value"),
    ("first_value", "first_value"),
    ("last", "last_value"),
    ("last_value", "last_value"),
];
