//! Covariances, correlations and lines through pairs of numbers. A pair with a NULL does not count.

use super::super::scalar::Returns;
use super::super::takes::Takes;
use super::aggregate::{AGGREGATE, Aggregate, Counts};
use super::counts::ZERO;
use super::moments;
use super::statistic::Statistic;

/// `of_pairs!(|s| value)`, where `s` is what is known of the pairs.
macro_rules! of_pairs {
    (|$pairs:ident| $value:expr) => {
        Counts::Statistic(&Statistic {
            size: 6,
            update,
            merge,
            value: |state| {
                let $pairs = Pairs::of(state);
                $value
            },
        })
    };
}

/// Aggregates of two numbers. The first of `regr_` functions depends on the second.
pub(super) const TABLE: &[Aggregate] = &[
    Aggregate {
        counts: of_pairs!(|s| {
            let spread = (s.m2_first * s.m2_second).sqrt();
            (s.n > 1.0 && spread != 0.0).then(|| s.product / spread)
        }),
        doc: "How well two numbers go together, from -1 to 1.",
        example: "SELECT corr(x, y) FROM VALUES (1, 2), (2, 3), (3, 5) AS t(x, y)",
        ..pair("corr")
    },
    Aggregate {
        counts: of_pairs!(|s| (s.n > 0.0).then(|| s.product / s.n)),
        doc: "The covariance of all pairs.",
        example: "SELECT covar_pop(x, y) FROM VALUES (1, 2), (2, 3) AS t(x, y)",
        ..pair("covar_pop")
    },
    Aggregate {
        counts: of_pairs!(|s| (s.n > 1.0).then(|| s.product / (s.n - 1.0))),
        doc: "The covariance of a sample of pairs.",
        example: "SELECT covar_samp(x, y) FROM VALUES (1, 2), (2, 3) AS t(x, y)",
        ..pair("covar_samp")
    },
    Aggregate {
        counts: of_pairs!(|s| (s.n > 0.0).then_some(s.second)),
        doc: "The mean of the second number of the pairs.",
        example: "SELECT regr_avgx(y, x) FROM VALUES (1, 2), (2, 3) AS t(y, x)",
        ..pair("regr_avgx")
    },
    Aggregate {
        counts: of_pairs!(|s| (s.n > 0.0).then_some(s.first)),
        doc: "The mean of the first number of the pairs.",
        example: "SELECT regr_avgy(y, x) FROM VALUES (1, 2), (2, 3) AS t(y, x)",
        ..pair("regr_avgy")
    },
    Aggregate {
        counts: of_pairs!(|s| Some(s.n)),
        returns: Returns::Long,
        empty: Some(ZERO),
        doc: "How many pairs there are.",
        example: "SELECT regr_count(y, x) FROM VALUES (1, 2), (2, NULL) AS t(y, x)",
        ..pair("regr_count")
    },
    Aggregate {
        counts: of_pairs!(|s| Some(s.first - s.slope()? * s.second)),
        doc: "Where the line through the pairs meets 0.",
        example: "SELECT regr_intercept(y, x) FROM VALUES (1, 2), (2, 3) AS t(y, x)",
        ..pair("regr_intercept")
    },
    Aggregate {
        counts: of_pairs!(|s| {
            let corr = s.product / (s.m2_first * s.m2_second).sqrt();
            match (s.m2_first == 0.0, s.m2_second == 0.0) {
                (_, true) => None,
                (true, _) => Some(1.0),
                _ => Some(corr * corr),
            }
        }),
        doc: "How much of the first number the line through the pairs explains, from 0 to 1.",
        example: "SELECT regr_r2(y, x) FROM VALUES (1, 2), (2, 3), (4, 4) AS t(y, x)",
        ..pair("regr_r2")
    },
    Aggregate {
        counts: of_pairs!(|s| s.slope()),
        doc: "How steep the line through the pairs is.",
        example: "SELECT regr_slope(y, x) FROM VALUES (1, 2), (3, 3) AS t(y, x)",
        ..pair("regr_slope")
    },
    Aggregate {
        counts: Counts::Statistic(&Statistic {
            size: 5,
            update: |state, _, x| moments::update(state, x, 0.0),
            merge: moments::merge,
            value: squares,
        }),
        doc: "The squares of the second number's distances from its mean, together.",
        example: "SELECT regr_sxx(y, x) FROM VALUES (1, 2), (2, 3) AS t(y, x)",
        ..pair("regr_sxx")
    },
    Aggregate {
        counts: of_pairs!(|s| (s.n > 0.0).then_some(s.product)),
        doc: "The products of both numbers' distances from their means, together.",
        example: "SELECT regr_sxy(y, x) FROM VALUES (1, 2), (2, 3) AS t(y, x)",
        ..pair("regr_sxy")
    },
    Aggregate {
        counts: Counts::Statistic(&Statistic {
            size: 5,
            update: moments::update,
            merge: moments::merge,
            value: squares,
        }),
        doc: "The squares of the first number's distances from its mean, together.",
        example: "SELECT regr_syy(y, x) FROM VALUES (1, 2), (2, 3) AS t(y, x)",
        ..pair("regr_syy")
    },
];

/// The squares of the distances of one number from its mean.
fn squares(moments: &[f64]) -> Option<f64> {
    let &[n, _, m2, ..] = moments else {
        return None;
    };
    (n > 0.0).then_some(m2)
}

const fn pair(name: &'static str) -> Aggregate {
    Aggregate {
        name,
        forms: &[&[Takes::Double, Takes::Double]],
        ..AGGREGATE
    }
}

/// What is known of pairs.
struct Pairs {
    n: f64,
    /// The means.
    first: f64,
    second: f64,
    /// The products of the distances from them, and the squares.
    product: f64,
    m2_first: f64,
    m2_second: f64,
}

impl Pairs {
    fn slope(&self) -> Option<f64> {
        (self.m2_second != 0.0).then(|| self.product / self.m2_second)
    }

    fn of(state: &[f64]) -> Self {
        let [n, first, second, product, m2_first, m2_second] =
            std::array::from_fn(|index| state.get(index).copied().unwrap_or_default());
        Self {
            n,
            first,
            second,
            product,
            m2_first,
            m2_second,
        }
    }
}

fn update(state: &mut [f64], x: f64, y: f64) {
    let [n, x_avg, y_avg, product, m2_x, m2_y] = state else {
        return;
    };
    *n += 1.0;
    let (dx, dy) = (x - *x_avg, y - *y_avg);
    *x_avg += dx / *n;
    *y_avg += dy / *n;
    *product += dx * (y - *y_avg);
    *m2_x += dx * (x - *x_avg);
    *m2_y += dy * (y - *y_avg);
}

fn merge(state: &mut [f64], other: &[f64]) {
    let theirs = Pairs::of(other);
    if theirs.n == 0.0 {
        return;
    }
    let [n, x_avg, y_avg, product, m2_x, m2_y] = &mut *state else {
        return;
    };
    if *n == 0.0 {
        state.copy_from_slice(other);
        return;
    }
    let count = *n + theirs.n;
    let (dx, dy) = (theirs.first - *x_avg, theirs.second - *y_avg);
    let both = *n * theirs.n;
    *product += theirs.product + dx * (dy / count) * both;
    *m2_x += theirs.m2_first + dx * (dx / count) * both;
    *m2_y += theirs.m2_second + dy * (dy / count) * both;
    *x_avg += dx / count * theirs.n;
    *y_avg += dy / count * theirs.n;
    *n = count;
}
