//! Variances and what else comes of the distances of values from their mean, counted value by value
//! in Spark's order, so that the last digit is Spark's too.

use super::super::takes::Takes;
use super::aggregate::{AGGREGATE, Aggregate, Counts};
use super::statistic::Statistic;

/// Aggregates of one number.
pub(super) const TABLE: &[Aggregate] = &[
    Aggregate {
        counts: Counts::Statistic(&of_one(|s| {
            shape(s, |n, [m2, _, m4]| n * m4 / (m2 * m2) - 3.0)
        })),
        doc: "How much of the spread is far from the mean, less that of a normal distribution.",
        example: "SELECT kurtosis(x) FROM VALUES (1), (2), (30) AS t(x)",
        ..moment("kurtosis")
    },
    Aggregate {
        counts: Counts::Statistic(&of_one(|s| {
            shape(s, |n, [m2, m3, _]| n.sqrt() * m3 / (m2 * m2 * m2).sqrt())
        })),
        doc: "How much more the values spread above the mean than below it.",
        example: "SELECT skewness(x) FROM VALUES (1), (2), (30) AS t(x)",
        ..moment("skewness")
    },
    Aggregate {
        aliases: &["std", "stddev"],
        counts: Counts::Statistic(&of_one(|s| of_sample(s).map(f64::sqrt))),
        doc: "The standard deviation of a sample; NULL for fewer than two values.",
        example: "SELECT stddev_samp(x) FROM VALUES (1), (3) AS t(x)",
        ..moment("stddev_samp")
    },
    Aggregate {
        counts: Counts::Statistic(&of_one(|s| of_all(s).map(f64::sqrt))),
        doc: "The standard deviation of all values.",
        example: "SELECT stddev_pop(x) FROM VALUES (1), (3) AS t(x)",
        ..moment("stddev_pop")
    },
    Aggregate {
        counts: Counts::Statistic(&of_one(of_all)),
        doc: "The variance of all values.",
        example: "SELECT var_pop(x) FROM VALUES (1), (3) AS t(x)",
        ..moment("var_pop")
    },
    Aggregate {
        aliases: &["variance"],
        counts: Counts::Statistic(&of_one(of_sample)),
        doc: "The variance of a sample; NULL for fewer than two values.",
        example: "SELECT var_samp(x) FROM VALUES (1), (3) AS t(x)",
        ..moment("var_samp")
    },
];

const fn moment(name: &'static str) -> Aggregate {
    Aggregate {
        name,
        forms: &[&[Takes::Double]],
        ..AGGREGATE
    }
}

/// How many values, their mean, and the sums of the powers of their distances from it.
const fn of_one(value: fn(&[f64]) -> Option<f64>) -> Statistic {
    Statistic {
        size: 5,
        update,
        merge,
        value,
    }
}

/// Takes one value.
pub(super) fn update(state: &mut [f64], x: f64, _: f64) {
    let [n, avg, m2, m3, m4] = state else {
        return;
    };
    *n += 1.0;
    let delta = x - *avg;
    let delta_n = delta / *n;
    let (square, square_n) = (delta * delta, delta_n * delta_n);
    *avg += delta_n;
    *m2 += delta * (delta - delta_n);
    *m3 = *m3 - 3.0 * delta_n * *m2 + delta * (square - square_n);
    *m4 = *m4 - 4.0 * delta_n * *m3 - 6.0 * square_n * *m2
        + delta * (delta * square - delta_n * square_n);
}

/// Takes what is known of other values.
pub(super) fn merge(state: &mut [f64], other: &[f64]) {
    let ([n, avg, m2, m3, m4], &[n_other, avg_other, m2_other, m3_other, m4_other]) =
        (&mut *state, other)
    else {
        return;
    };
    if n_other == 0.0 {
        return;
    }
    if *n == 0.0 {
        state.copy_from_slice(other);
        return;
    }
    let count = *n + n_other;
    let delta = avg_other - *avg;
    let delta_n = delta / count;
    let square_n = delta_n * delta_n;
    let both = *n * n_other;
    *m4 = *m4
        + m4_other
        + square_n * delta_n * delta * both * (*n * *n - both + n_other * n_other)
        + 6.0 * square_n * (*n * *n * m2_other + n_other * n_other * *m2)
        + 4.0 * delta_n * (*n * m3_other - n_other * *m3);
    *m3 = *m3
        + m3_other
        + square_n * delta * both * (*n - n_other)
        + 3.0 * delta_n * (*n * m2_other - n_other * *m2);
    *m2 = *m2 + m2_other + delta * delta_n * both;
    *avg += delta_n * n_other;
    *n = count;
}

/// Values that are all the same have no shape.
fn shape(state: &[f64], of: fn(f64, [f64; 3]) -> f64) -> Option<f64> {
    let &[n, _, m2, m3, m4] = state else {
        return None;
    };
    (n > 0.0 && m2 != 0.0).then(|| of(n, [m2, m3, m4]))
}

fn of_all(state: &[f64]) -> Option<f64> {
    let &[n, _, m2, ..] = state else {
        return None;
    };
    (n > 0.0).then(|| m2 / n)
}

fn of_sample(state: &[f64]) -> Option<f64> {
    let &[n, _, m2, ..] = state else {
        return None;
    };
    (n > 1.0).then(|| m2 / (n - 1.0))
}
