//! The grouping of an import as SQL, for a query engine that lies beside the export: the keys are
//! those of `charges`, so that its answer is read as any export is, each row standing for many.

mod answer;

use std::collections::BTreeSet;

pub use self::answer::Answer;
use super::{
    ImportError, ImportOptions,
    layout::{self, Bound, Column},
};
use crate::domain::{
    catalog::{Catalog, Service, ServiceKind},
    export::ExportKind,
    period::Month,
    storage::{self, StorageKind},
};

/// Digits after the point: an export's doubles are exact to so many and have noise beyond.
const DIGITS: u32 = 10;
/// An answer's column with the rows that each of its rows stands for.
const ROWS: &str = "pipebill_rows";
/// An answer's column with the folder of the file that the rows are in.
const FOLDER: &str = "pipebill_folder";

/// A column of a table.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TableColumn {
    /// Its name.
    pub name: String,
    /// Its type, as Hive writes it.
    pub of: String,
}

/// A table over an export.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Table {
    /// The database.
    pub database: String,
    /// The name in it.
    pub name: String,
    /// What the files have.
    pub columns: Vec<TableColumn>,
    /// What the folders have.
    pub partitions: Vec<TableColumn>,
    /// It is a view, which does not tell what files its rows are in.
    pub is_view: bool,
}

impl Table {
    /// Returns how the table is named on the command line.
    pub fn url(&self) -> String {
        format!("athena://{}.{}", self.database, self.name)
    }

    fn partition(&self, name: &str) -> Option<&TableColumn> {
        let mut partitions = self.partitions.iter();
        partitions.find(|column| column.name.eq_ignore_ascii_case(name))
    }
}

/// What to ask of a table, and how to read the answer.
pub struct Query {
    /// The question.
    pub sql: String,
    /// What the table is.
    pub kind: ExportKind,
    /// The table's folders by month let the engine read the one month only.
    pub is_pruned: bool,
    bound: Bound,
    name: String,
    has_folders: bool,
}

impl Query {
    /// Returns the query for a month of a table.
    pub fn new(
        table: &Table,
        month: Month,
        catalog: &Catalog,
        options: &ImportOptions,
    ) -> Result<Self, ImportError> {
        let url = table.url();
        let header = table.columns.iter().map(|c| c.name.to_ascii_lowercase());
        let header: Vec<String> = header.collect();
        let found = layout::recognise(&url, &header)?;
        let filter = by_month(table, &found, month);
        let mut select = Select::new(&table.columns);
        select.everything(&found);
        let names = select.names();
        let kept = kept_names(catalog, options);
        let stored = select.is_storage(&found, catalog, &kept);
        let sql = select.sql(table, &filter.sql, &kept, &stored);
        Ok(Self {
            sql,
            kind: found.layout.kind,
            is_pruned: filter.is_pruned,
            bound: layout::bind(found.layout, &names),
            name: url,
            has_folders: !table.is_view,
        })
    }

    /// Returns the names of the answer's columns.
    pub fn columns(&self) -> impl Iterator<Item = &str> {
        (0..self.bound.width())
            .map(|at| self.bound.name(at))
            .chain([ROWS])
            .chain(self.has_folders.then_some(FOLDER))
    }
}

struct Filter {
    sql: String,
    is_pruned: bool,
}

/// Returns the condition for a month: on the folders if they tell it, else on the rows.
fn by_month(table: &Table, found: &Bound, month: Month) -> Filter {
    let text = month.to_string();
    let (year, number) = text.split_once('-').unwrap_or((&text, ""));
    let is = |column: &TableColumn, values: &[&str]| {
        // Types are not compared with each other: a number is no text, and a day is no month.
        let is_number = column.of.contains("int");
        if column.of.starts_with("date") || column.of.starts_with("timestamp") {
            return format!("substr({}, 1, 7) = {}", day(column), literal(&text));
        }
        let literals: BTreeSet<String> = values
            .iter()
            .map(|value| {
                if is_number {
                    value.trim_start_matches('0').to_owned()
                } else {
                    literal(value)
                }
            })
            .collect();
        let literals: Vec<String> = literals.into_iter().collect();
        format!("{} IN ({})", name(&column.name), literals.join(", "))
    };
    let pruned = |sql| Filter {
        sql,
        is_pruned: true,
    };
    if let Some(period) = table.partition("billing_period") {
        return pruned(is(period, &[&text]));
    }
    if let (Some(years), Some(months)) = (table.partition("year"), table.partition("month")) {
        let months = is(months, &[number, number.trim_start_matches('0')]);
        return pruned(format!("{} AND {months}", is(years, &[year])));
    }
    let column = match found.fields(Column::Period) {
        [] => Column::Day,
        _ => Column::Period,
    };
    let days = found
        .fields(column)
        .first()
        .map(|&at| day(&table.columns[at]));
    Filter {
        sql: format!(
            "substr({}, 1, 7) = {}",
            days.unwrap_or_default(),
            literal(&text)
        ),
        is_pruned: false,
    }
}

/// Returns every name in lower case that a service goes by whose rows are kept.
fn kept_names(catalog: &Catalog, options: &ImportOptions) -> BTreeSet<String> {
    let is_kept = |service: &&Service| {
        service.kind == ServiceKind::Code || options.include_services.contains(&service.code)
    };
    let kept = catalog.services.values().filter(is_kept);
    kept.flat_map(names).collect()
}

/// Returns every name in lower case that a service goes by.
fn names(service: &Service) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    let known = [service.code.as_str(), &service.name];
    let aliases = service.aliases.iter().map(String::as_str);
    for known in known.into_iter().chain(aliases) {
        let known = known.to_lowercase();
        if !known.starts_with("aws") {
            names.extend([format!("aws {known}"), format!("amazon {known}")]);
        }
        names.insert(known);
    }
    names
}

/// The columns of a query in the making: each with its name in the answer.
struct Select<'t> {
    table: &'t [TableColumn],
    /// What every charge has.
    common: Vec<(String, String)>,
    /// What kept charges and storage need.
    told: Vec<(String, String)>,
    /// What only kept charges need.
    detail: Vec<(String, String)>,
    quantity: Option<(String, String)>,
    cost: (String, String),
    /// The cost after discounts.
    net: Option<(String, String)>,
    service: String,
}

impl<'t> Select<'t> {
    fn new(table: &'t [TableColumn]) -> Self {
        Self {
            table,
            common: Vec::new(),
            told: Vec::new(),
            detail: Vec::new(),
            quantity: None,
            cost: (String::new(), String::new()),
            net: None,
            service: String::new(),
        }
    }

    fn everything(&mut self, found: &Bound) {
        for (column, _, names) in found.layout.columns {
            let fields: Vec<&TableColumn> = found
                .fields(*column)
                .iter()
                .map(|&at| &self.table[at])
                .collect();
            let (Some(first), Some(&alias)) = (fields.first(), names.first()) else {
                continue;
            };
            let alias = alias.to_owned();
            let first_of = |value: fn(&TableColumn) -> String| match &fields[..] {
                [only] => value(only),
                several => {
                    let values: Vec<String> = several.iter().map(|c| value(c)).collect();
                    format!("COALESCE({})", values.join(", "))
                }
            };
            match column {
                Column::Cost => self.cost = (alias, amount(first)),
                Column::Net => self.net = Some((alias, amount(first))),
                Column::Quantity => self.quantity = Some((alias, first_of(amount))),
                // The unit is that of the quantity that is there.
                Column::Unit if fields.len() > 1 => {
                    let amounts = found.fields(Column::Quantity);
                    let mut cases = String::new();
                    for (unit, &at) in fields.iter().zip(amounts) {
                        let quantity = present(&self.table[at]);
                        cases += &format!(" WHEN {quantity} IS NOT NULL THEN {}", text(unit));
                    }
                    let unit = format!("CASE{cases} ELSE {} END", text(first));
                    self.told.push((alias, unit));
                }
                Column::Resource => self.told.push((alias, resource(&text(first)))),
                Column::Day | Column::Period => {
                    let is_common =
                        *column == Column::Period || found.fields(Column::Period).is_empty();
                    let list = if is_common {
                        &mut self.common
                    } else {
                        &mut self.detail
                    };
                    list.push((alias, day(first)));
                }
                Column::Service => {
                    self.service = first_of(present);
                    self.common.push((alias, self.service.clone()));
                }
                Column::Kind | Column::Class | Column::Currency | Column::Payer => {
                    self.common.push((alias, text(first)));
                }
                Column::UsageType
                | Column::Account
                | Column::Region
                | Column::Unit
                | Column::Rate
                | Column::ListRate => self.told.push((alias, first_of(present))),
                _ => self.detail.push((alias, first_of(present))),
            }
        }
        for &(at, _) in &found.tags {
            let column = &self.table[at];
            let value = if column.of.starts_with("map") {
                format!("json_format(CAST({} AS JSON))", name(&column.name))
            } else {
                text(column)
            };
            self.detail.push((found.name(at).to_owned(), value));
        }
    }

    /// Returns the names of the answer's columns that the reader knows.
    fn names(&self) -> Vec<String> {
        self.common
            .iter()
            .chain(&self.told)
            .chain(&self.detail)
            .chain(&self.quantity)
            .chain([&self.cost])
            .chain(&self.net)
            .map(|(name, _)| name.clone())
            .chain(["has_quantity".to_owned(), "has_cost".to_owned()])
            .collect()
    }

    /// Returns the condition that holds for storage of ours, of services that are not kept.
    fn is_storage(&self, found: &Bound, catalog: &Catalog, kept: &BTreeSet<String>) -> String {
        let columns = |column| {
            let fields = found.fields(column).iter();
            fields.map(|&at| text(&self.table[at])).collect::<Vec<_>>()
        };
        let has = |columns: &[String], parts: &[&str]| {
            let each = columns.iter().flat_map(|column| {
                let is_in = move |part: &&str| format!("strpos({column}, {}) > 0", literal(part));
                parts.iter().map(is_in)
            });
            each.collect::<Vec<_>>().join(" OR ")
        };
        let resources = columns(Column::Resource);
        let measure = has(&columns(Column::UsageType), &storage::MEASURES);
        let stores = [StorageKind::Logs, StorageKind::Artifacts]
            .into_iter()
            .filter_map(|left| {
                let service = catalog.service(left.service())?;
                let known: Vec<String> = names(service)
                    .difference(kept)
                    .map(|n| literal(n))
                    .collect();
                let ours = has(&resources, left.names());
                (!known.is_empty() && !ours.is_empty()).then(|| {
                    let service =
                        format!("lower(trim({})) IN ({})", self.service, known.join(", "));
                    format!("({service}\n      AND ({ours}))")
                })
            });
        let stores: Vec<String> = stores.collect();
        if stores.is_empty() || measure.is_empty() {
            return "false".to_owned();
        }
        format!("({measure})\n      AND ({})", stores.join("\n      OR "))
    }

    fn sql(&self, table: &Table, filter: &str, kept: &BTreeSet<String>, stored: &str) -> String {
        let kept: Vec<String> = kept.iter().map(|name| literal(name)).collect();
        let mut inner = Vec::new();
        let mut outer = Vec::new();
        let columns = self.common.iter().chain(&self.told).chain(&self.detail);
        let amounts = self.quantity.iter().chain([&self.cost]).chain(&self.net);
        for (alias, value) in columns.chain(amounts) {
            let alias = name(alias);
            inner.push(if *value == alias {
                format!("    {alias}")
            } else {
                format!("    {value} AS {alias}")
            });
        }
        for (alias, _) in &self.common {
            outer.push(format!("  {}", name(alias)));
        }
        let told = self.told.iter().map(|told| (told, "is_kept OR is_storage"));
        let detail = self.detail.iter().map(|detail| (detail, "is_kept"));
        for ((alias, _), when) in told.chain(detail) {
            let alias = name(alias);
            outer.push(format!("  CASE WHEN {when} THEN {alias} END AS {alias}"));
        }
        let cost = name(&self.cost.0);
        let mut keys: Vec<usize> = (1..=outer.len()).collect();
        let mut presence = Vec::new();
        if let Some((alias, _)) = &self.quantity {
            let alias = name(alias);
            outer.push(format!(
                "  SUM(CASE WHEN is_kept OR is_storage THEN {alias} END) AS {alias}"
            ));
            presence.push(format!(
                "  CASE WHEN is_kept OR is_storage THEN {alias} IS NOT NULL END AS has_quantity"
            ));
        }
        outer.push(format!("  SUM({cost}) AS {cost}"));
        if let Some((alias, _)) = &self.net {
            // A row without it is taken to have no discount, whatever other rows of its group have.
            let alias = name(alias);
            outer.push(format!(
                "  SUM(CASE WHEN is_kept THEN COALESCE({alias}, {cost}) END) AS {alias}"
            ));
        }
        presence.push(format!("  {cost} IS NOT NULL AS has_cost"));
        keys.extend((outer.len() + 1)..=(outer.len() + presence.len()));
        outer.extend(presence);
        outer.push(format!("  COUNT(*) AS {ROWS}"));
        if !table.is_view {
            // Deliveries that do not overwrite each other lie in folders of their own.
            inner.push(format!(
                "    regexp_replace(\"$path\", '/[^/]*$', '') AS {FOLDER}"
            ));
            outer.push(format!("  {FOLDER}"));
            keys.push(outer.len());
        }
        let keys: Vec<String> = keys.iter().map(usize::to_string).collect();
        format!(
            "WITH charges AS (\n  SELECT\n{},\n    lower(trim({})) IN ({}) AS is_kept,\n    COALESCE({stored}, false) AS is_storage\n  FROM {}.{}\n  WHERE {filter}\n)\nSELECT\n{}\nFROM charges\nGROUP BY {}",
            inner.join(",\n"),
            self.service,
            kept.join(", "),
            name(&table.database),
            name(&table.name),
            outer.join(",\n"),
            keys.join(", "),
        )
    }
}

/// Quotes a name.
fn name(text: &str) -> String {
    format!("\"{}\"", text.replace('"', "\"\""))
}

/// Quotes a text.
fn literal(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

fn is_text(column: &TableColumn) -> bool {
    ["string", "varchar", "char"]
        .iter()
        .any(|of| column.of.starts_with(of))
}

fn text(column: &TableColumn) -> String {
    if is_text(column) {
        name(&column.name)
    } else {
        format!("CAST({} AS VARCHAR)", name(&column.name))
    }
}

/// A text that is empty is not there.
fn present(column: &TableColumn) -> String {
    if is_text(column) {
        format!("NULLIF({}, '')", name(&column.name))
    } else {
        text(column)
    }
}

/// A table over CSV files holds times as text, and AWS writes them in UTC.
fn day(column: &TableColumn) -> String {
    if is_text(column) {
        format!("substr({}, 1, 10)", name(&column.name))
    } else {
        format!("CAST(CAST({} AS DATE) AS VARCHAR)", name(&column.name))
    }
}

/// Doubles become exact decimals before anything is added.
fn amount(column: &TableColumn) -> String {
    let quoted = name(&column.name);
    if is_text(column) {
        // Text is exact as it is: nothing may be rounded away.
        format!("CAST(NULLIF({quoted}, '') AS DECIMAL(38,18))")
    } else if column.of.starts_with("decimal") {
        quoted
    } else {
        format!("CAST({quoted} AS DECIMAL(38,{DIGITS}))")
    }
}

/// The project of a build in place of the build, as `values::resource` has it.
fn resource(text: &str) -> String {
    let mut cases = String::new();
    for kind in [":build/", ":build-batch/"] {
        cases += &format!(
            " WHEN {text} LIKE 'arn:%{kind}%' THEN split_part({text}, '{kind}', 1) || ':project/' \
             || split_part(split_part({text}, '{kind}', 2), ':', 1)"
        );
    }
    format!("CASE{cases} ELSE {text} END")
}

#[cfg(test)]
mod tests;
