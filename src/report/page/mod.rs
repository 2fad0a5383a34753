//! A report as one page: markup in `reports/templates/`, numbers and pictures from here.
//!
//! The template gets text that is shown as it is and escaped by the template engine, pictures whose
//! labels are escaped where they are drawn, and tables of cells. It computes nothing.

mod method;
mod pdf;
pub mod pictures;
mod reconciliation;
mod scenario;
mod sections;

use std::io::Write;

use minijinja::{AutoEscape, Environment, ErrorKind, UndefinedBehavior, Value, value::Serde};
use serde::Serialize;

use super::{
    Answer, Block, Cell, Document, Note, Table,
    chart::Drawing,
    input::{ChartKind, Options, ReportError, ReportInput, Template, WriteSummary},
    text::clean,
    value::object,
};
use crate::domain::{exchange::Exchange, money::Money};
pub use pdf::write as write_pdf;

const TEMPLATE: &str = include_str!("../../../reports/templates/report.html");
const CSS: &str = include_str!("../../../reports/templates/report.css");
const CHART_CSS: &str = include_str!("../../../reports/templates/chart.css");

/// What a template is given.
#[derive(Debug, Serialize)]
struct Page {
    #[serde(flatten)]
    head: sections::Head,
    /// The sample organization, not the user's.
    sample: bool,
    sections: Vec<Section>,
    /// What is not on the page, and why.
    absent: Vec<(String, String)>,
    method: method::Method,
    version: &'static str,
    /// The style sheet of the page and its pictures.
    style: String,
}

/// A part of the page.
#[derive(Debug, Serialize)]
struct Section {
    id: &'static str,
    title: String,
    /// What it says, in a sentence or two.
    lead: String,
    /// An SVG element.
    picture: Option<String>,
    /// What the picture shows, or a table of its own.
    table: Option<Grid>,
    /// The table is folded away.
    folded: bool,
    /// A text for programs, folded away.
    code: Option<Code>,
    notes: Vec<String>,
}

/// A text for programs.
#[derive(Debug, Serialize)]
struct Code {
    title: String,
    text: String,
}

impl Code {
    fn of(title: &str, text: &str) -> Self {
        let lines: Vec<String> = text.lines().map(plain_text).collect();
        Self {
            title: title.to_owned(),
            text: lines.join("\n"),
        }
    }
}

/// A figure at the top.
#[derive(Debug, Serialize)]
struct Figure {
    label: String,
    value: String,
    exact: String,
    notes: Vec<String>,
    converted: Option<Converted>,
    #[serde(skip)]
    amount: Option<Money>,
}

/// An amount at the stated rate.
#[derive(Debug, Serialize)]
struct Converted {
    text: String,
    exact: String,
}

impl Converted {
    /// Converts an amount, if it is one.
    fn of(amount: Option<Money>, exchange: &Exchange) -> Option<Self> {
        let converted = exchange.convert(amount?);
        Some(Self {
            text: super::show_money(converted, &exchange.to),
            exact: converted.to_string(),
        })
    }
}

/// Returns what a cell holds of the bill's money.
fn amount(cell: &Cell) -> Option<Money> {
    match cell {
        Cell::Money(amount, _) => Some(*amount),
        Cell::AtLeast(amount, _) if !amount.is_zero() => Some(*amount),
        _ => None,
    }
}

/// A table as the template shows it.
#[derive(Debug, Serialize)]
struct Grid {
    caption: String,
    columns: Vec<GridColumn>,
    /// What the longest bar stands for.
    most: String,
    rows: Vec<Vec<GridCell>>,
    totals: Vec<Vec<GridCell>>,
}

#[derive(Debug, Serialize)]
struct GridColumn {
    heading: String,
    number: bool,
}

#[derive(Debug, Serialize)]
struct GridCell {
    text: String,
    /// The exact value of a number, for machines; empty for words.
    exact: String,
    number: bool,
    /// A bar of this many percent, drawn behind the number.
    bar: String,
    /// The same in another currency, if one was asked for.
    converted: Option<Converted>,
    #[serde(skip)]
    amount: Option<Money>,
}

impl Grid {
    fn has_money(&self) -> bool {
        let mut cells = self.rows.iter().chain(&self.totals).flatten();
        cells.any(|cell| cell.amount.is_some())
    }

    fn of(table: &Table, caption: String) -> Self {
        let shown = table.shown_columns();
        let number = |at: usize| {
            let rows = table.rows.iter().chain(&table.totals);
            rows.map(|row| &row[at])
                .any(|cell| cell.is_number() && !cell.shown().is_empty())
        };
        let cells = |row: &Vec<Cell>| {
            shown
                .iter()
                .map(|&at| GridCell {
                    text: plain_text(&row[at].shown()),
                    exact: if row[at].is_number() {
                        row[at].exact()
                    } else {
                        String::new()
                    },
                    number: number(at),
                    bar: match &row[at] {
                        Cell::Percent(percent) if table.columns[at].key == "share" => {
                            super::show_number(*percent)
                        }
                        _ => String::new(),
                    },
                    converted: None,
                    amount: amount(&row[at]),
                })
                .collect()
        };
        Self {
            caption,
            columns: shown
                .iter()
                .map(|&at| GridColumn {
                    heading: plain_text(&table.columns[at].heading),
                    number: number(at),
                })
                .collect(),
            most: longest(table),
            rows: table.rows.iter().map(cells).collect(),
            totals: table.totals.iter().map(cells).collect(),
        }
    }
}

/// Returns the largest share of a table.
fn longest(table: &Table) -> String {
    let shares = table.rows.iter().flatten().filter_map(|cell| match cell {
        Cell::Percent(percent) => Some(*percent),
        _ => None,
    });
    shares.max().map_or("1".to_owned(), super::show_number)
}

/// Takes out of a text what steers a reader or is no text; the template escapes the rest.
fn plain_text(text: &str) -> String {
    clean(&text.replace(['\n', '\t'], " ")).replace(['\u{fffe}', '\u{ffff}'], "\u{fffd}")
}

impl Section {
    /// Puts the amounts in another currency beside those of the table; a picture stays as it is, and
    /// says so.
    fn convert(&mut self, exchange: &Exchange) {
        if self.picture.is_some() && self.table.as_ref().is_some_and(Grid::has_money) {
            let note = format!("The picture is in {}, as billed.", exchange.from);
            self.notes.insert(0, note);
        }
        let grid = self.table.iter_mut();
        let rows = grid.flat_map(|grid| grid.rows.iter_mut().chain(&mut grid.totals));
        for cell in rows.flatten() {
            cell.converted = Converted::of(cell.amount, exchange);
        }
    }

    fn drawn(id: &'static str, drawing: &Drawing) -> Self {
        let chart = drawing.chart();
        Self {
            id,
            title: plain_text(&chart.title),
            lead: plain_text(&chart.finding),
            picture: Some(chart.inline().to_owned()),
            table: Some(Grid::of(&chart.table, chart.title.clone())),
            folded: true,
            code: None,
            notes: Vec::new(),
        }
    }
}

/// Renders the page.
pub fn render(input: &ReportInput<'_>, options: &Options) -> Result<String, ReportError> {
    let mut sections = Vec::new();
    let mut absent: Vec<(String, String)> = Vec::new();
    for kind in pictures::KINDS {
        if kind.needs_prospect() {
            match scenario::savings(input) {
                Ok(section) => sections.push(section),
                Err(why) => absent.push(("Savings".to_owned(), why)),
            }
        }
        match (kind.of)(input) {
            Ok(drawing) => sections.push(match kind.name {
                "scenario" => scenario::scenario(&drawing, input),
                name => sections::around(name, &drawing, input),
            }),
            Err(why) => absent.push((sections::subject(kind).to_owned(), why)),
        }
    }
    sections.extend(sections::tables(input, &mut absent));
    let mut head = sections::head(input, options.exchange.as_ref());
    if let Some(exchange) = &options.exchange {
        for figure in &mut head.figures {
            figure.converted = Converted::of(figure.amount, exchange);
        }
        for section in &mut sections {
            section.convert(exchange);
        }
    }
    let page = Page {
        head,
        sample: input.sample,
        sections,
        absent,
        method: method::method(input, options.exchange.as_ref()),
        version: env!("CARGO_PKG_VERSION"),
        style: format!("{CSS}{CHART_CSS}"),
    };
    fill(options.template.as_ref(), Value::from(Serde(page)))
}

/// Fills a template in: the user's own, or the one in the program.
fn fill(own: Option<&Template>, context: Value) -> Result<String, ReportError> {
    let (name, text) = own.map_or(("report.html", TEMPLATE), |own| (&own.file, &own.text));
    let mut environment = Environment::new();
    // Whatever a template is called, it makes a page.
    environment.set_auto_escape_callback(|_| AutoEscape::Html);
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    let blocks_alone = minijinja::syntax::SyntaxConfig::builder()
        .trim_blocks(true)
        .lstrip_blocks(true)
        .keep_trailing_newline(true)
        .build();
    environment.set_syntax(blocks_alone.expect("the delimiters are the usual ones"));
    let wrong = |error: minijinja::Error| ReportError::Template {
        place: match error.line() {
            Some(line) => format!("{name}:{line}"),
            None => name.to_owned(),
        },
        problem: match (error.kind(), error.detail()) {
            (ErrorKind::UndefinedError, _) => {
                let asked = error.range().and_then(|range| text.get(range));
                format!("the report has no `{}`", asked.unwrap_or("such value"))
            }
            (kind, Some(detail)) => format!("{kind}: {detail}"),
            (kind, None) => kind.to_string(),
        },
    };
    environment.add_template(name, text).map_err(wrong)?;
    let template = environment.get_template(name).map_err(wrong)?;
    template.render(context).map_err(wrong)
}

/// Writes the page.
pub(super) fn write(
    input: &ReportInput<'_>,
    options: &Options,
    sink: &mut dyn Write,
) -> Result<WriteSummary, ReportError> {
    sink.write_all(render(input, options)?.as_bytes())?;
    Ok(written(input))
}

/// What the page should add up to: the bill it is about.
fn written(input: &ReportInput<'_>) -> WriteSummary {
    let totals = input.months.iter().map(|month| {
        let bill = &month.rated.bill;
        serde_json::json!({
            "billing_period": bill.month.to_string(),
            "currency": bill.currency.as_str(),
            "cost": bill.total().to_string(),
        })
    });
    WriteSummary {
        control_totals: totals.collect(),
        ..WriteSummary::default()
    }
}

/// Returns the chart asked for.
pub fn drawing(input: &ReportInput<'_>, kind: &ChartKind) -> Result<Drawing, ReportError> {
    (kind.of)(input).map_err(|why| ReportError::NothingToDraw {
        chart: kind.name,
        why,
    })
}

/// Writes one chart as a picture.
pub(super) fn write_svg(
    input: &ReportInput<'_>,
    options: &Options,
    sink: &mut dyn Write,
) -> Result<WriteSummary, ReportError> {
    let kind = options.chart.ok_or(ReportError::WhichChart)?;
    let chart = drawing(input, kind)?.chart();
    sink.write_all(chart.file().as_bytes())?;
    Ok(WriteSummary::default())
}

/// Lays one chart out for a terminal or a file of figures.
pub fn chart_answer(
    input: &ReportInput<'_>,
    kind: &ChartKind,
) -> Result<Answer<'static>, ReportError> {
    let drawing = drawing(input, kind)?;
    let chart = drawing.chart();
    // The picture says it; the rows are for files.
    let table = chart.table.for_files();
    let notes = vec![Note::new("finding", chart.finding)];
    let value = ChartAnswer {
        chart: kind.name,
        title: chart.title.clone(),
        columns: table.columns.iter().map(|it| it.key.to_string()).collect(),
        rows: table
            .rows
            .iter()
            .map(|row| Points::of(&table, row))
            .collect(),
        notes: notes.clone(),
    };
    let document = Document {
        title: chart.title,
        blocks: vec![
            Block::Chart(drawing),
            Block::Table(table),
            Block::Notes(notes),
        ],
    };
    Ok(Answer::new(document, value))
}

object! {
    /// What a picture shows.
    pub struct ChartAnswer = "pipebill.chart/1" {
        /// Which chart, as `--chart` calls it.
        chart: &'static str,
        /// Its title.
        title: String,
        /// The keys of every row, in the order of the table.
        columns: Vec<String>,
        /// What is drawn: the chart decides the keys.
        rows: Vec<Points>,
        /// What a reader should know.
        notes: Vec<Note>,
    }
}

/// A row of a chart.
#[derive(Clone, Debug)]
pub struct Points(Vec<(String, Cell)>);

impl Points {
    fn of(table: &Table, row: &[Cell]) -> Self {
        let keys = table.columns.iter().map(|column| column.key.to_string());
        Self(keys.zip(row.iter().cloned()).collect())
    }
}

impl serde::Serialize for Points {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(key, cell)| (key, cell)))
    }
}

#[cfg(test)]
impl schemars::JsonSchema for Points {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Points".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "description": "One row, by the keys of `columns`.",
            "type": "object",
            "additionalProperties": {"type": ["string", "integer", "boolean", "null"]},
        })
    }
}
