//! `skewness` and `kurtosis`: central moments, updated value by value as Spark does it.

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::datatypes::{DataType, Field, FieldRef, Float64Type};
use datafusion::error::Result;
use datafusion::logical_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion::logical_expr::{Accumulator, AggregateUDFImpl, Signature, Volatility};
use datafusion::scalar::ScalarValue;

/// What is made of the moments.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Shape {
    Skewness,
    Kurtosis,
}

/// `skewness(x)` or `kurtosis(x)`.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) struct CentralMoment {
    shape: Shape,
    signature: Signature,
}

impl CentralMoment {
    pub(super) fn new(shape: Shape) -> Self {
        Self {
            shape,
            signature: Signature::exact(vec![DataType::Float64], Volatility::Immutable),
        }
    }
}

impl AggregateUDFImpl for CentralMoment {
    fn name(&self) -> &str {
        match self.shape {
            Shape::Skewness => "skewness",
            Shape::Kurtosis => "kurtosis",
        }
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(DataType::Float64)
    }

    fn accumulator(&self, _: AccumulatorArgs) -> Result<Box<dyn Accumulator>> {
        Ok(Box::new(ShapeAccumulator {
            shape: self.shape,
            moments: Moments::default(),
        }))
    }

    fn state_fields(&self, args: StateFieldsArgs) -> Result<Vec<FieldRef>> {
        let parts = ["n", "avg", "m2", "m3", "m4"].into_iter();
        let fields = parts.map(|part| {
            let name = format!("{}[{part}]", args.name);
            Field::new(name, DataType::Float64, true).into()
        });
        Ok(fields.collect())
    }
}

#[derive(Debug)]
struct ShapeAccumulator {
    shape: Shape,
    moments: Moments,
}

impl Accumulator for ShapeAccumulator {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        for value in values[0].as_primitive::<Float64Type>().iter().flatten() {
            self.moments = self.moments.merge(Moments::of(value));
        }
        Ok(())
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        let part = |index: usize, row| states[index].as_primitive::<Float64Type>().value(row);
        for row in 0..states[0].len() {
            self.moments = self.moments.merge(Moments {
                n: part(0, row),
                avg: part(1, row),
                m2: part(2, row),
                m3: part(3, row),
                m4: part(4, row),
            });
        }
        Ok(())
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        let Moments { n, avg, m2, m3, m4 } = self.moments;
        Ok([n, avg, m2, m3, m4].map(ScalarValue::from).to_vec())
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        let Moments { n, m2, m3, m4, .. } = self.moments;
        // Values that are all the same have no shape.
        let value = (n > 0.0 && m2 != 0.0).then(|| match self.shape {
            Shape::Skewness => n.sqrt() * m3 / (m2 * m2 * m2).sqrt(),
            Shape::Kurtosis => n * m4 / (m2 * m2) - 3.0,
        });
        Ok(ScalarValue::Float64(value))
    }

    fn size(&self) -> usize {
        size_of_val(self)
    }
}

/// How many values, their mean, and the sums of the powers of their distances from it.
#[derive(Debug, Clone, Copy, Default)]
struct Moments {
    n: f64,
    avg: f64,
    m2: f64,
    m3: f64,
    m4: f64,
}

impl Moments {
    fn of(value: f64) -> Self {
        Self {
            n: 1.0,
            avg: value,
            ..Self::default()
        }
    }

    fn merge(self, other: Self) -> Self {
        let n = self.n + other.n;
        if n == 0.0 {
            return self;
        }
        let delta = other.avg - self.avg;
        let delta_n = delta / n;
        let both = self.n * other.n;
        Self {
            n,
            avg: self.avg + delta_n * other.n,
            m2: self.m2 + other.m2 + delta * delta_n * both,
            m3: self.m3
                + other.m3
                + delta_n * delta_n * delta * both * (self.n - other.n)
                + 3.0 * delta_n * (self.n * other.m2 - other.n * self.m2),
            m4: self.m4
                + other.m4
                + delta_n
                    * delta_n
                    * delta_n
                    * delta
                    * both
                    * (self.n * self.n - both + other.n * other.n)
                + 6.0
                    * delta_n
                    * delta_n
                    * (self.n * self.n * other.m2 + other.n * other.n * self.m2)
                + 4.0 * delta_n * (self.n * other.m3 - other.n * self.m3),
        }
    }
}
