//! Functions whose value depends on what they gave before: random numbers with a seed, and numbers
//! of rows. Each call of a query has a memory of its own, which lasts as long as the plan.

use std::hash::{Hash, Hasher};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use arrow::array::{ArrayRef, Float64Array, Int64Array, StringArray};
use arrow::compute::cast;
use arrow::datatypes::DataType;
use datafusion::error::Result as DataFusionResult;
use datafusion::logical_expr::expr::ScalarFunction;
use datafusion::logical_expr::simplify::{ExprSimplifyResult, SimplifyContext};
use datafusion::logical_expr::{
    ColumnarValue, Expr, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
};
use datafusion::scalar::ScalarValue;
use parking_lot::Mutex;

use super::super::arguments::arguments;
use super::super::common_type::common_type;
use super::super::takes::{Takes, coerced};
use super::generator::Generator;
use crate::error::{Error, Result, from_datafusion};

/// `rand`, `randn`, `uniform`, `uuid` and `monotonically_increasing_id`.
pub(super) fn functions() -> Vec<ScalarUDF> {
    let kinds = [
        Kind::Rand,
        Kind::Randn,
        Kind::Uniform,
        Kind::Uuid,
        Kind::RowId,
    ];
    kinds
        .into_iter()
        .map(|kind| ScalarUDF::from(Remembering::new(kind, None)))
        .collect()
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Kind {
    Rand,
    Randn,
    Uniform,
    Uuid,
    RowId,
}

impl Kind {
    fn name(self) -> &'static str {
        match self {
            Self::Rand => "rand",
            Self::Randn => "randn",
            Self::Uniform => "uniform",
            Self::Uuid => "uuid",
            Self::RowId => "monotonically_increasing_id",
        }
    }

    fn forms(self) -> &'static [&'static [Takes]] {
        match self {
            Self::Rand | Self::Randn | Self::Uuid => &[&[], &[Takes::Long]],
            Self::Uniform => &[
                &[Takes::Number, Takes::Number],
                &[Takes::Number, Takes::Number, Takes::Long],
            ],
            Self::RowId => &[&[]],
        }
    }
}

/// What one call remembers.
#[derive(Debug, Default)]
struct Memory {
    generator: Mutex<Option<Generator>>,
    rows: AtomicI64,
}

#[derive(Debug)]
struct Remembering {
    kind: Kind,
    aliases: Vec<String>,
    signature: Signature,
    /// None until a plan has the call.
    memory: Option<Arc<Memory>>,
}

impl Remembering {
    fn new(kind: Kind, memory: Option<Arc<Memory>>) -> Self {
        let aliases = match kind {
            Kind::Rand => vec!["random".into()],
            _ => Vec::new(),
        };
        let signature = Signature::user_defined(Volatility::Volatile);
        Self {
            kind,
            aliases,
            signature,
            memory,
        }
    }

    fn address(&self) -> Option<*const Memory> {
        self.memory.as_ref().map(Arc::as_ptr)
    }

    /// What chance gives for so many rows.
    fn random<T, A: FromIterator<T>>(
        &self,
        rows: usize,
        seed: Option<i64>,
        next: impl Fn(&mut Generator) -> T,
    ) -> A {
        let fresh = || Generator::new(seed.unwrap_or_else(entropy));
        let unshared = Memory::default();
        let memory = self.memory.as_deref().unwrap_or(&unshared);
        let mut generator = memory.generator.lock();
        let generator = generator.get_or_insert_with(fresh);
        (0..rows).map(|_| next(generator)).collect()
    }

    fn row_numbers(&self, rows: usize) -> ArrayRef {
        let rows = rows as i64;
        let first = match &self.memory {
            Some(memory) => memory.rows.fetch_add(rows, Ordering::Relaxed),
            None => 0,
        };
        Arc::new(Int64Array::from_iter_values(first..first + rows))
    }
}

/// Two are the same if they have one memory.
impl PartialEq for Remembering {
    fn eq(&self, other: &Self) -> bool {
        self.kind == other.kind && self.address() == other.address()
    }
}

impl Eq for Remembering {}

impl Hash for Remembering {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.kind.hash(state);
        self.address().hash(state);
    }
}

impl ScalarUDFImpl for Remembering {
    fn name(&self) -> &str {
        self.kind.name()
    }

    fn aliases(&self) -> &[String] {
        &self.aliases
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, types: &[DataType]) -> DataFusionResult<Vec<DataType>> {
        Ok(coerced(self.name(), self.kind.forms(), types)?)
    }

    fn return_type(&self, types: &[DataType]) -> DataFusionResult<DataType> {
        Ok(match self.kind {
            Kind::Rand | Kind::Randn => DataType::Float64,
            Kind::Uniform => common_type(types.iter().take(2)).unwrap_or(DataType::Float64),
            Kind::Uuid => DataType::Utf8,
            Kind::RowId => DataType::Int64,
        })
    }

    fn simplify(
        &self,
        args: Vec<Expr>,
        _: &SimplifyContext,
    ) -> DataFusionResult<ExprSimplifyResult> {
        if self.memory.is_some() {
            return Ok(ExprSimplifyResult::Original(args));
        }
        let own = Self::new(self.kind, Some(Arc::default()));
        let call = ScalarFunction::new_udf(Arc::new(ScalarUDF::from(own)), args);
        Ok(ExprSimplifyResult::Simplified(Expr::ScalarFunction(call)))
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> DataFusionResult<ColumnarValue> {
        let rows = args.number_rows;
        if self.kind == Kind::RowId {
            return Ok(ColumnarValue::Array(self.row_numbers(rows)));
        }
        let bounds = if self.kind == Kind::Uniform { 2 } else { 0 };
        let seed = args
            .args
            .get(bounds)
            .map(|seed| whole_constant(self.name(), seed));
        let seed = seed.transpose()?;
        if self.kind == Kind::Uuid {
            let ids: StringArray = self.random(rows, seed, |generator| {
                let bits = generator.bits().to_be_bytes();
                Some(
                    uuid::Builder::from_random_bytes(bits)
                        .into_uuid()
                        .to_string(),
                )
            });
            return Ok(ColumnarValue::Array(Arc::new(ids)));
        }
        let numbers: Vec<f64> = self.random(rows, seed, |generator| match self.kind {
            Kind::Randn => generator.normal(),
            _ => generator.uniform(),
        });
        let numbers = Float64Array::from(numbers);
        if self.kind != Kind::Uniform {
            return Ok(ColumnarValue::Array(Arc::new(numbers)));
        }
        let [low, high] = arguments(self.name(), &args.args)?;
        let bound = |bound| number_constant(self.name(), bound);
        let (Some(low), Some(high)) = (bound(low)?, bound(high)?) else {
            let null = ScalarValue::try_from(args.return_field.data_type())?;
            return Ok(ColumnarValue::Scalar(null));
        };
        let numbers: Float64Array = numbers.unary(|number| low + (high - low) * number);
        let numbers: ArrayRef = match args.return_field.data_type().is_integer() {
            true => Arc::new(numbers.unary::<_, arrow::datatypes::Float64Type>(f64::trunc)),
            false => Arc::new(numbers),
        };
        Ok(ColumnarValue::Array(cast(
            &numbers,
            args.return_field.data_type(),
        )?))
    }
}

fn constant<'a>(name: &str, value: &'a ColumnarValue) -> Result<&'a ScalarValue> {
    match value {
        ColumnarValue::Scalar(value) => Ok(value),
        ColumnarValue::Array(_) => Err(Error::analysis(format!(
            "the arguments of {name} must be the same for all rows"
        ))
        .with_condition("DATATYPE_MISMATCH.NON_FOLDABLE_INPUT")
        .with_hint("write them as numbers")),
    }
}

/// NULL is a seed like 0.
fn whole_constant(name: &str, value: &ColumnarValue) -> Result<i64> {
    match constant(name, value)? {
        ScalarValue::Int64(value) => Ok(value.unwrap_or_default()),
        other => Err(Error::internal(format!("{name} got the seed {other}"))),
    }
}

fn number_constant(name: &str, value: &ColumnarValue) -> Result<Option<f64>> {
    let number = constant(name, value)?.cast_to(&DataType::Float64);
    match number.map_err(from_datafusion)? {
        ScalarValue::Float64(number) => Ok(number),
        other => Err(Error::internal(format!("{name} got {other}"))),
    }
}

/// A seed that nobody knows.
pub(crate) fn entropy() -> i64 {
    uuid::Uuid::new_v4().as_u64_pair().0.cast_signed()
}
