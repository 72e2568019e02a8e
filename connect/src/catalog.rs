//! `spark.catalog`: the session's views, columns and functions, as tables of what there is.

use std::sync::Arc;

use arrow::array::{Array as _, builder::ListBuilder, builder::StringBuilder};
use arrow::array::{ArrayRef, BooleanArray, ListArray, RecordBatch, StringArray};
use arrow::datatypes::{Field, Schema};
use tidebook_engine::connect::proto::Catalog;
use tidebook_engine::connect::proto::catalog::CatType;
use tidebook_engine::{Error, Result, Rows, ViewInfo, simple_string};

use crate::sessions::Client;

const CATALOG: &str = "spark_catalog";
const DATABASE: &str = "default";

/// Answers one question.
pub(crate) fn answer(client: &Client, asked: &Catalog) -> Result<Rows> {
    let session = &client.session;
    let asked = asked.cat_type.as_ref();
    match asked.ok_or_else(|| Error::illegal_argument("the catalog is asked for nothing"))? {
        CatType::CurrentCatalog(_) => one_text("current_catalog", CATALOG),
        CatType::CurrentDatabase(_) => one_text("current_database", DATABASE),
        CatType::SetCurrentCatalog(set) => only(&set.catalog_name, CATALOG, "catalog"),
        CatType::SetCurrentDatabase(set) => only(&set.db_name, DATABASE, "database"),
        CatType::ListCatalogs(list) => {
            let found = matches(CATALOG, list.pattern.as_deref());
            table([
                ("name", texts(found.then_some(CATALOG))),
                ("description", nulls(usize::from(found))),
            ])
        }
        CatType::ListDatabases(list) => databases(matches(DATABASE, list.pattern.as_deref())),
        CatType::GetDatabase(get) => {
            only(&get.db_name, DATABASE, "database")?;
            databases(true)
        }
        CatType::DatabaseExists(asked) => one_bool(own(&asked.db_name, DATABASE)),
        CatType::ListTables(list) => tables(&found(session.views(), list.pattern.as_deref())),
        CatType::ListViews(list) => tables(&found(session.views(), list.pattern.as_deref())),
        CatType::GetTable(get) => {
            let view = session.view(last(&get.table_name));
            tables(&[view.ok_or_else(|| no_view(&get.table_name))?])
        }
        CatType::TableExists(asked) => one_bool(session.view(last(&asked.table_name)).is_some()),
        CatType::ListColumns(list) => {
            let view = session.view(last(&list.table_name));
            columns(&view.ok_or_else(|| no_view(&list.table_name))?)
        }
        CatType::ListFunctions(list) => {
            let mut names = session.function_names();
            names.retain(|name| matches(name, list.pattern.as_deref()));
            functions(&names)
        }
        CatType::GetFunction(get) => {
            let name = last(&get.function_name).to_lowercase();
            match session.function_names().contains(&name) {
                true => functions(&[name]),
                false => Err(Error::analysis(format!("function '{name}' does not exist"))
                    .with_condition("UNRESOLVED_ROUTINE")),
            }
        }
        CatType::FunctionExists(asked) => {
            let name = last(&asked.function_name).to_lowercase();
            one_bool(session.function_names().contains(&name))
        }
        CatType::DropTempView(drop) => one_bool(session.drop_view(&drop.view_name).is_ok()),
        CatType::DropGlobalTempView(_) => one_bool(false),
        CatType::DropView(drop) => match session.drop_view(last(&drop.view_name)) {
            Err(_) if drop.if_exists => nothing(),
            dropped => dropped.and_then(|()| nothing()),
        },
        // Rows are computed when they are asked for: nothing is ever kept.
        CatType::IsCached(asked) => match session.view(last(&asked.table_name)) {
            Some(_) => one_bool(false),
            None => Err(no_view(&asked.table_name)),
        },
        CatType::CacheTable(asked) => known(client, &asked.table_name),
        CatType::UncacheTable(asked) => known(client, &asked.table_name),
        CatType::RefreshTable(asked) => known(client, &asked.table_name),
        CatType::ClearCache(_) | CatType::RefreshByPath(_) => nothing(),
        other => Err(Error::analysis(format!(
            "the catalog's {} is not supported in this version: there are only temporary views",
            name_of(other)
        ))
        .with_condition("UNSUPPORTED_FEATURE.CATALOG_OPERATION")),
    }
}

/// What was asked for, by the name of its message.
fn name_of(asked: &CatType) -> String {
    let text = format!("{asked:?}");
    let end = text.find('(').unwrap_or(text.len());
    text.get(..end).unwrap_or_default().to_string()
}

fn known(client: &Client, name: &str) -> Result<Rows> {
    match client.session.view(last(name)) {
        Some(_) => nothing(),
        None => Err(no_view(name)),
    }
}

fn no_view(name: &str) -> Error {
    Error::analysis(format!("table or view '{name}' does not exist"))
        .with_condition("TABLE_OR_VIEW_NOT_FOUND")
}

/// The name without catalog and database.
fn last(name: &str) -> &str {
    name.rsplit('.').next().unwrap_or(name).trim_matches('`')
}

fn own(name: &str, ours: &str) -> bool {
    last(name).eq_ignore_ascii_case(ours)
}

fn only(name: &str, ours: &str, what: &str) -> Result<Rows> {
    if own(name, ours) {
        return nothing();
    }
    Err(
        Error::analysis(format!("there is no {what} '{name}', only {ours}"))
            .with_condition("SCHEMA_NOT_FOUND"),
    )
}

/// Whether a name fits a pattern: `*` for anything, `|` between patterns.
fn matches(name: &str, pattern: Option<&str>) -> bool {
    pattern.is_none_or(|pattern| tidebook_engine::fits(name, pattern))
}

fn found(mut views: Vec<ViewInfo>, pattern: Option<&str>) -> Vec<ViewInfo> {
    views.retain(|view| matches(&view.name, pattern));
    views
}

fn tables(views: &[ViewInfo]) -> Result<Rows> {
    let count = views.len();
    table([
        ("name", texts(views.iter().map(|view| view.name.as_str()))),
        ("catalog", nulls(count)),
        ("namespace", namespaces(count)),
        ("description", nulls(count)),
        ("tableType", texts(vec!["TEMPORARY"; count])),
        ("isTemporary", bools(vec![true; count])),
    ])
}

fn columns(view: &ViewInfo) -> Result<Rows> {
    let fields = view.schema.fields();
    let count = fields.len();
    let types: Vec<String> = fields
        .iter()
        .map(|field| simple_string(field.data_type()))
        .collect();
    table([
        (
            "name",
            texts(fields.iter().map(|field| field.name().as_str())),
        ),
        ("description", nulls(count)),
        ("dataType", texts(types.iter().map(String::as_str))),
        (
            "nullable",
            bools(fields.iter().map(|field| field.is_nullable()).collect()),
        ),
        ("isPartition", bools(vec![false; count])),
        ("isBucket", bools(vec![false; count])),
        ("isCluster", bools(vec![false; count])),
    ])
}

fn functions(names: &[String]) -> Result<Rows> {
    let count = names.len();
    table([
        ("name", texts(names.iter().map(String::as_str))),
        ("catalog", nulls(count)),
        ("namespace", namespaces(count)),
        ("description", nulls(count)),
        ("className", texts(vec![""; count])),
        ("isTemporary", bools(vec![true; count])),
    ])
}

fn databases(is_there: bool) -> Result<Rows> {
    let one = |text: &'static str| texts(is_there.then_some(text));
    table([
        ("name", one(DATABASE)),
        ("catalog", one(CATALOG)),
        ("description", one("temporary views")),
        ("locationUri", one("")),
    ])
}

fn one_text(name: &str, text: &str) -> Result<Rows> {
    table([(name, texts([text]))])
}

fn one_bool(value: bool) -> Result<Rows> {
    table([("value", bools(vec![value]))])
}

fn nothing() -> Result<Rows> {
    let schema = Arc::new(Schema::empty());
    let batches = Vec::new();
    Ok(Rows { schema, batches })
}

fn texts<'a>(values: impl IntoIterator<Item = &'a str>) -> ArrayRef {
    Arc::new(values.into_iter().map(Some).collect::<StringArray>())
}

fn nulls(count: usize) -> ArrayRef {
    Arc::new(StringArray::new_null(count))
}

fn bools(values: Vec<bool>) -> ArrayRef {
    Arc::new(BooleanArray::from(values))
}

/// A list without elements, for each row.
fn namespaces(count: usize) -> ArrayRef {
    let mut lists = ListBuilder::new(StringBuilder::new());
    for _ in 0..count {
        lists.append(true);
    }
    let lists: ListArray = lists.finish();
    Arc::new(lists)
}

fn table<const N: usize>(columns: [(&str, ArrayRef); N]) -> Result<Rows> {
    let fields = columns
        .iter()
        .map(|(name, column)| Field::new(*name, column.data_type().clone(), true));
    let schema = Arc::new(Schema::new(fields.collect::<Vec<_>>()));
    let columns = columns.into_iter().map(|(_, column)| column).collect();
    let batch = RecordBatch::try_new(Arc::clone(&schema), columns)
        .map_err(|error| Error::internal(error.to_string()).with_source(error))?;
    Ok(Rows {
        schema,
        batches: vec![batch],
    })
}
