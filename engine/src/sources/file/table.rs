//! Files as a table. The files are listed at every scan, so a table shows what was added since it
//! was made.

use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use async_trait::async_trait;
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::config::TableParquetOptions;
use datafusion::common::project_schema;
use datafusion::datasource::file_format::parquet::ParquetFormat;
use datafusion::datasource::listing::{
    ListingOptions as DataFusionListingOptions, ListingTable, ListingTableConfig, ListingTableUrl,
};
use datafusion::error::{DataFusionError, Result as DataFusionResult};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::logical_expr::{Expr, TableType};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::empty::EmptyExec;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::streaming::{PartitionStream, StreamingTableExec};
use futures::stream;
use url::Url;

use super::file_batch::FileBatch;
use super::listing::{ListedFile, Listing, ListingOptions};
use super::metadata_column::with_metadata_column;
use super::partitions::PartitionColumns;
use super::reader::{FileReader, ReadFormat};
use super::schema::all_files;
use crate::error::{Error, Result};
use crate::options::{OptionMap, Options};
use crate::sources::{SourceBatch, TableProviderRef, TableRequest};
use crate::storage::Stores;

/// The files below the paths of the request as one table. The schema may be missing: then it comes
/// from the files. The option `path` stands for a path as well.
pub(super) async fn files_table(request: TableRequest<'_>) -> Result<TableProviderRef> {
    let TableRequest {
        session,
        format,
        schema,
        paths,
        options: given,
        defaults,
    } = request;
    let (options, reader) = FileReader::of_table(format, given, &defaults)?;
    let stores = Stores::of(session);
    let listings = listings(paths, &options, &stores, given)?;
    let (schema, partitions) = reader.columns(&listings, schema)?;
    Ok(Arc::new(FilesTable {
        listings,
        reader,
        schema,
        partitions,
        with_metadata: None,
    }))
}

/// The same table with the column `_metadata`, if it is one of files and has no column of that name.
pub(crate) fn with_metadata(table: &TableProviderRef) -> Option<TableProviderRef> {
    let files = table.downcast_ref::<FilesTable>()?;
    let with_metadata = with_metadata_column(&files.schema)?;
    Some(Arc::new(FilesTable {
        with_metadata: Some(with_metadata),
        ..files.clone()
    }))
}

#[derive(Debug, Clone)]
struct FilesTable {
    listings: Vec<Listing>,
    reader: FileReader,
    schema: SchemaRef,
    partitions: PartitionColumns,
    /// The schema with `_metadata` behind it, if it has that column.
    with_metadata: Option<SchemaRef>,
}

#[async_trait]
impl TableProvider for FilesTable {
    fn schema(&self) -> SchemaRef {
        let schema = self.with_metadata.as_ref().unwrap_or(&self.schema);
        Arc::clone(schema)
    }

    fn table_type(&self) -> TableType {
        TableType::Base
    }

    async fn scan(
        &self,
        session: &dyn Session,
        projection: Option<&Vec<usize>>,
        filters: &[Expr],
        limit: Option<usize>,
    ) -> DataFusionResult<Arc<dyn ExecutionPlan>> {
        let files = all_files(&self.listings)?;
        if !self.is_plain_parquet() || self.asks_for_metadata(projection) {
            return self.scan_files(&files, session, projection, limit);
        }
        if files.is_empty() {
            let schema = project_schema(&self.schema, projection)?;
            return Ok(Arc::new(EmptyExec::new(schema)));
        }
        let config = ListingTableConfig::new_with_multi_paths(urls(&files)?)
            .with_listing_options(parquet_options())
            .with_schema(self.schema.clone());
        let table = ListingTable::try_new(config)?;
        table.scan(session, projection, filters, limit).await
    }
}

impl FilesTable {
    /// Whether DataFusion, which passes over row groups that no row is wanted of, can read it.
    fn is_plain_parquet(&self) -> bool {
        let passed_over = self.reader.passed_over;
        matches!(self.reader.format, ReadFormat::Parquet { .. })
            && self.partitions.is_empty()
            && !passed_over.missing
            && !passed_over.corrupt
            && self
                .listings
                .iter()
                .all(|listing| listing.root().local().is_some())
    }

    /// Whether the column `_metadata` is among those wanted.
    fn asks_for_metadata(&self, projection: Option<&Vec<usize>>) -> bool {
        let own = self.schema.fields().len();
        self.with_metadata.is_some()
            && projection.is_none_or(|wanted| wanted.iter().any(|index| *index >= own))
    }

    fn scan_files(
        &self,
        files: &[(&Listing, ListedFile)],
        session: &dyn Session,
        projection: Option<&Vec<usize>>,
        limit: Option<usize>,
    ) -> DataFusionResult<Arc<dyn ExecutionPlan>> {
        let columns = self.schema();
        let asks = self.asks_for_metadata(projection);
        let all = || (0..columns.fields().len()).collect();
        let projection = projection.cloned().unwrap_or_else(all);
        let schema = Arc::new(columns.project(&projection)?);
        let files = files.iter();
        let files = files.map(|(listing, file)| (*listing, file.url.as_str()));
        let all = Arc::clone(&self.schema);
        let batch = FileBatch::new(files, all, &self.partitions, &self.reader)?;
        let batch = Arc::new(if asks { batch.with_metadata() } else { batch });
        let partitions = batch.partitions(session.config().target_partitions());
        let streams = (0..partitions).map(|partition| {
            Arc::new(FilesPartition {
                batch: batch.clone(),
                partition,
                partitions,
                projection: projection.clone(),
                schema: schema.clone(),
            }) as Arc<dyn PartitionStream>
        });
        let scan = StreamingTableExec::try_new(
            schema.clone(),
            streams.collect(),
            None,
            None,
            false,
            limit,
        )?;
        Ok(Arc::new(scan))
    }
}

#[derive(Debug)]
struct FilesPartition {
    batch: Arc<FileBatch>,
    partition: usize,
    partitions: usize,
    projection: Vec<usize>,
    schema: SchemaRef,
}

impl PartitionStream for FilesPartition {
    fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    fn execute(&self, _: Arc<TaskContext>) -> SendableRecordBatchStream {
        match self
            .batch
            .open(self.partition, self.partitions, &self.projection)
        {
            Ok(rows) => rows,
            Err(error) => Box::pin(RecordBatchStreamAdapter::new(
                self.schema.clone(),
                stream::iter([Err(DataFusionError::from(error))]),
            )),
        }
    }
}

fn parquet_options() -> DataFusionListingOptions {
    let mut parquet = TableParquetOptions::default();
    // Spark's own timestamps, before it followed the standard.
    parquet.global.coerce_int96 = Some("us".to_string());
    parquet.global.coerce_int96_tz = Some("UTC".to_string());
    let format = ParquetFormat::default().with_options(parquet);
    // The listing has chosen the files: no extension is required of them.
    DataFusionListingOptions::new(Arc::new(format.with_force_view_types(false)))
        .with_file_extension("")
}

fn listings(
    paths: &[String],
    options: &Options,
    stores: &Stores,
    given: &OptionMap,
) -> Result<Vec<Listing>> {
    let paths = match (paths, options.get("path")) {
        ([], None) => {
            return Err(Error::illegal_argument("a table of files needs a path")
                .with_hint("OPTIONS (path '/data/in')"));
        }
        ([], Some(path)) => &[path.to_string()],
        (paths, _) => paths,
    };
    paths
        .iter()
        .map(|path| Listing::new(ListingOptions::with_path(path, options)?, stores, given))
        .collect()
}

fn urls(files: &[(&Listing, ListedFile)]) -> Result<Vec<ListingTableUrl>> {
    let url = |(_, file): &(&Listing, ListedFile)| {
        let invalid = |error: &dyn std::fmt::Display| {
            Error::internal(format!("'{}' is not a URL: {error}", file.url))
        };
        let url = Url::parse(&file.url).map_err(|error| invalid(&error))?;
        ListingTableUrl::try_new(url, None).map_err(|error| invalid(&error))
    };
    files.iter().map(url).collect()
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use datafusion::arrow::util::pretty::pretty_format_batches;
    use datafusion::functions_aggregate::expr_fn::{count, max, sum};
    use datafusion::prelude::{DataFrame, SessionContext, col, lit};

    use super::*;
    use crate::sources::open_table;

    async fn read(
        format: &str,
        path: &Path,
        options: &[(&str, &str)],
    ) -> Result<Arc<dyn TableProvider>> {
        let context = SessionContext::new();
        let options = options
            .iter()
            .map(|(name, value)| (name.to_string(), value.to_string()));
        let paths = [path.display().to_string()];
        let (state, options) = (context.state(), options.collect());
        open_table(&state, format, None, &paths, &options).await
    }

    async fn shown(rows: DataFrame) -> String {
        let batches = rows.collect().await.unwrap();
        pretty_format_batches(&batches).unwrap().to_string()
    }

    fn frame(table: Arc<dyn TableProvider>) -> DataFrame {
        SessionContext::new().read_table(table).unwrap()
    }

    #[tokio::test]
    async fn json_with_an_inferred_schema_shows_new_files() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("a.json"), "{\"k\":\"x\",\"v\":1}\n").unwrap();
        let table = read("JSON", dir.path(), &[]).await.unwrap();
        fs::write(dir.path().join("b.json"), "{\"v\":2}\n\n{\"v\":3}").unwrap();
        let answers = vec![count(lit(1)), sum(col("v")), max(col("k"))];
        let answer = shown(frame(table).aggregate(vec![], answers).unwrap()).await;
        let answer = answer.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(answer.contains("| 3 | 6 | x |"), "{answer}");
    }

    #[tokio::test]
    async fn csv_as_spark_reads_it() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("a.csv"), "k;v\nx;1\n").unwrap();
        let plain = read("csv", dir.path(), &[("sep", ";")]).await.unwrap();
        let sorted = frame(plain).sort(vec![col("_c0").sort(true, true)]);
        let answer = shown(sorted.unwrap()).await;
        assert!(answer.contains("| k   | v   |\n| x   | 1   |"), "{answer}");
        let typed = [("sep", ";"), ("header", "true"), ("inferSchema", "true")];
        let typed = read("csv", dir.path(), &typed).await.unwrap();
        let more = frame(typed).select(vec![(col("v") + lit(1)).alias("w")]);
        assert!(shown(more.unwrap()).await.contains("| 2 |"));
    }

    #[tokio::test]
    async fn mistakes_are_named() {
        let dir = tempfile::tempdir().unwrap();
        let error = read("json", &dir.path().join("nope"), &[])
            .await
            .unwrap_err();
        assert_eq!(error.condition(), Some("PATH_NOT_FOUND"));
        let error = read("json", dir.path(), &[]).await.unwrap_err();
        assert_eq!(error.condition(), Some("UNABLE_TO_INFER_SCHEMA"));
        let error = read("parket", dir.path(), &[]).await.unwrap_err();
        assert_eq!(error.hint(), Some("did you mean 'parquet'?"));
        let error = read("csv", dir.path(), &[("heeder", "true")])
            .await
            .unwrap_err();
        assert_eq!(error.hint(), Some("did you mean 'header'?"));
    }
}
