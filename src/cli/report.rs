//! `pipebill report`: files for people and for finance.

mod definition;
mod files;

use self::files::write_files;
use std::{
    io::Write,
    path::{Path, PathBuf},
    sync::Arc,
};

use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};

use super::{
    CommandError, Exit, Format,
    exchange::CurrencyArgs,
    output::Output,
    terms::{TermsArgs, budget},
    usage::dimension,
    whatif::{SetArgs, months},
};
use crate::{
    app::{App, DataSource, Needed, Needs, ReportRequest},
    domain::{allocation::Dimension, journal::Accrual, period::Month},
    inputs::report_definition::{self},
    report::{
        formats,
        input::{ChartKind, Content, FocusVersion, Options, ReportError, ReportInput, Template},
        page::{self, pictures},
    },
};
pub(super) use definition::check as check_definition;

/// Write report files for teams and finance
///
/// With --out, the files of a report are written all or none, with a manifest of control totals and
/// SHA-256 checksums. Without --out, one file goes to stdout.
///
/// Examples:
///   pipebill report --demo --month 2026-10 --format csv --out bills/
///   pipebill report --from 2026-01 --to 2026-06 --format csv --out half-year.csv
///   pipebill report --definition month-end --month 2026-10 --out close/
#[derive(Debug, clap::Args)]
#[command(verbatim_doc_comment, after_long_help = formats_help())]
pub(super) struct Args {
    /// Month, e.g. 2026-10 [default: the latest in the ledger].
    #[arg(long, value_name = "MONTH", conflicts_with_all = ["from", "to"])]
    month: Option<Month>,
    /// First of several months.
    #[arg(long, value_name = "MONTH", requires = "to")]
    from: Option<Month>,
    /// Last of several months.
    #[arg(long, value_name = "MONTH", requires = "from")]
    to: Option<Month>,
    /// Named set of files, or a definition file of your own.
    #[arg(long, value_name = "NAME|FILE")]
    definition: Option<String>,
    /// Output file, or a folder for files named pipebill-MONTH.csv and the like.
    #[arg(long, value_name = "DIR|FILE")]
    out: Option<PathBuf>,
    /// Overwrite existing files.
    #[arg(long)]
    force: bool,
    #[command(flatten)]
    file: FileArgs,
    /// Page template to use instead of reports/templates/report.html.
    #[arg(long, value_name = "FILE")]
    template: Option<PathBuf>,
    /// Monthly budget: a line in the forecast, and how likely each month exceeds it.
    #[arg(long, value_name = "AMOUNT")]
    budget: Option<String>,
    /// Months to forecast after the current one [default: 12 for pages and charts, else 3].
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(0..=36))]
    months: Option<u32>,
    /// Scenario to compare with the last complete month, for pages and --chart scenario [default:
    /// the best combination of savings].
    #[arg(long, value_name = "FILE")]
    scenario: Option<PathBuf>,
    #[command(flatten)]
    changes: SetArgs,
    #[command(flatten)]
    currency: CurrencyArgs,
    #[command(flatten)]
    terms: TermsArgs,
}

/// What concerns one file: flags here, keys in a definition.
#[derive(Debug, Default, clap::Args)]
struct FileArgs {
    /// Content of a CSV [default: summary with --by, else lines].
    #[arg(long, value_name = "WHAT", value_parser = content_parser())]
    content: Option<Content>,
    /// Split costs by account, project, service, region, meter, day, job, workflow, repository,
    /// tag:KEY, or cost-center (from --gl). Repeatable.
    #[arg(long, value_name = "DIMENSION", value_parser = part)]
    by: Vec<Part>,
    /// Columns to write, in this order.
    #[arg(long, value_name = "NAMES", value_delimiter = ',')]
    columns: Vec<String>,
    /// Start CSV with a byte-order mark, for Excel.
    #[arg(long)]
    bom: bool,
    /// Show one chart: fan, services, waterfall, tornado, scenario or calendar. Use --format svg
    /// for a picture, csv or json for the figures.
    #[arg(long, value_name = "NAME", value_parser = chart)]
    chart: Option<&'static ChartKind>,
    /// FOCUS version: 1.2 or 1.4.
    #[arg(long, value_name = "VERSION", default_value = "1.2", hide_default_value = true, value_parser = focus_parser())]
    focus_version: FocusVersion,
    /// Accrual of an open month in a journal: its expected total, or its cost to date.
    #[arg(long, value_name = "WHAT", default_value = "expected", value_parser = accrual_parser())]
    accrue: Accrual,
    /// TOML file with rules that map each cost to a general ledger account.
    #[arg(long, value_name = "FILE")]
    gl: Option<PathBuf>,
}

/// What costs are shared by, before it is known which mapping knows the cost centres.
#[derive(Clone, Debug)]
enum Part {
    Of(Dimension),
    CostCenter,
}

fn part(text: &str) -> Result<Part, String> {
    match text {
        "cost-center" => Ok(Part::CostCenter),
        text => dimension(text)
            .map(Part::Of)
            .map_err(|choices| choices.replace(" or tag:KEY", ", tag:KEY or cost-center")),
    }
}

fn content_parser() -> impl TypedValueParser<Value = Content> {
    let values = Content::ALL.map(|(_, name, help)| PossibleValue::new(name).help(help));
    PossibleValuesParser::new(values).try_map(|name| Content::named(&name).ok_or("no content"))
}

fn accrual_parser() -> impl TypedValueParser<Value = Accrual> {
    let values = Accrual::ALL.map(|(_, name, help)| PossibleValue::new(name).help(help));
    PossibleValuesParser::new(values).try_map(|name| Accrual::named(&name).ok_or("no accrual"))
}

fn focus_parser() -> impl TypedValueParser<Value = FocusVersion> {
    PossibleValuesParser::new(FocusVersion::ALL.map(|(_, name)| name)).try_map(|name| {
        let found = FocusVersion::ALL.iter().find(|(_, known)| *known == name);
        found.map(|(version, _)| *version).ok_or("no version")
    })
}

impl FileArgs {
    fn options(&self, args: &Args, app: &App) -> Result<Options, CommandError> {
        let gl = self.gl.as_deref().or(args.file.gl.as_deref());
        let mapping = app.gl_mapping(gl)?;
        let shared = Arc::new(mapping.clone());
        let by = self.by.iter().map(|part| match part {
            Part::Of(dimension) => dimension.clone(),
            Part::CostCenter => Dimension::CostCenter(shared.clone()),
        });
        Ok(Options {
            content: self.content,
            by: by.collect(),
            accrual: self.accrue,
            sharing: args.terms.sharing(),
            columns: self.columns.clone(),
            bom: self.bom,
            chart: self.chart,
            template: None,
            focus_version: self.focus_version,
            mapping: Some(mapping),
            exchange: None,
        })
    }
}

fn chart(text: &str) -> Result<&'static ChartKind, String> {
    pictures::kind(text).ok_or_else(|| {
        let names: Vec<&str> = pictures::KINDS.iter().map(|kind| kind.name).collect();
        format!("choose {}", names.join(", "))
    })
}

/// A file to be written.
struct Planned {
    format: &'static formats::Format,
    options: Options,
    /// Its name in a folder, if not the usual one.
    name: Option<String>,
}

/// Says what files show of where the months lead; of months that are over nothing is accrued.
fn forecast_needed(files: &[Planned], chart: Option<&ChartKind>, are_over: bool) -> Needed {
    let needs = |file: &&Planned| {
        let mut options = file.options.clone();
        if are_over {
            options.accrual = Accrual::ToDate;
        }
        (file.format.needs_forecast)(&options)
    };
    let mut needing = files.iter().filter(needs).peekable();
    if needing.peek().is_none() && !chart.is_some_and(ChartKind::needs_forecast) {
        return Needed::No;
    }
    if needing.all(|file| file.format.goes_without_forecast()) {
        Needed::IfThereIs
    } else {
        Needed::Yes
    }
}

pub(super) fn run(
    args: &Args,
    app: &App,
    output: &Output,
    strict: bool,
) -> Result<Exit, CommandError> {
    let on_terminal = args.file.chart.filter(|_| answers_by_text(args, output));
    let (definition, mut files) = match on_terminal {
        Some(_) => (None, Vec::new()),
        None => planned(args, app, output)?,
    };
    let template = args.template.as_deref().map(template).transpose()?;
    let savings = on_terminal.is_some_and(ChartKind::needs_prospect)
        || files
            .iter()
            .any(|file| file.format.needs_prospects(&file.options));
    let scenario: Vec<PathBuf> = args.scenario.iter().cloned().collect();
    let scenario = args.changes.scenarios(&scenario);
    if !savings && !scenario.is_empty() {
        return Err(CommandError::BadValue {
            flag: "--scenario",
            problem: "only pages and --chart scenario show one; pipebill whatif compares it"
                .to_owned(),
        });
    }
    let overview = on_terminal.is_some() || files.iter().any(|file| file.format.needs_overview());
    let reported = app.report(&ReportRequest {
        months: months(args.month, args.from, args.to),
        needs: Needs {
            forecast: forecast_needed(&files, on_terminal, true),
            forecast_of_open: forecast_needed(&files, on_terminal, false),
            overview,
            savings,
            jobs: files
                .iter()
                .any(|file| file.options.by.iter().any(Dimension::is_of_jobs)),
        },
        months_ahead: args.months.unwrap_or(if overview { 12 } else { 3 }),
        budget: budget(args.budget.as_deref())?,
        scenario,
        exchange: args.currency.request(),
        terms: args.terms.terms(),
    })?;
    let are_over = reported.are_over(app.today);
    for file in &mut files {
        file.options.template.clone_from(&template);
        file.options.exchange.clone_from(&reported.exchange);
        if are_over {
            file.options.accrual = Accrual::ToDate;
        }
    }
    let input = ReportInput {
        catalog: &app.catalog,
        today: app.today,
        months: &reported.months,
        by_jobs: &reported.by_jobs,
        forecast: reported.forecast.as_ref(),
        overview: reported.overview.as_ref(),
        savings: reported.savings.as_ref(),
        scenario: reported.scenario.as_ref(),
        sample: matches!(app.source, DataSource::Sample),
    };
    let partial = reported.partial();
    if let Some(kind) = on_terminal {
        output.show(&page::chart_answer(&input, kind)?)?;
        return Ok(Exit::of(partial.is_empty(), strict));
    }
    match (&args.out, &files[..]) {
        (Some(out), _) => {
            let (paths, entries) =
                write_files(out, args.force, definition.as_deref(), &files, &input)?;
            for path in &paths {
                output.say(&format!("wrote {}", path.display()));
            }
            for entry in &entries {
                for note in &entry.written.notes {
                    output.say(&format!("note: {}: {note}", entry.name));
                }
            }
        }
        (None, [only]) => {
            let write = |sink: &mut dyn Write| (only.format.write)(&input, &only.options, sink);
            for note in output.stream(only.format, write)? {
                output.say(&format!("note: {note}"));
            }
        }
        (None, files) => return Err(CommandError::NeedsFolder(files.len())),
    }
    output.say_old_prices(reported.oldest_price(), app.today);
    if !partial.is_empty() {
        let months: Vec<String> = partial.iter().map(Month::to_string).collect();
        output.say(&format!(
            "note: the report is partial: {} has usage without a price, or days without a source",
            months.join(", ")
        ));
    }
    Ok(Exit::of(partial.is_empty(), strict))
}

/// Tells whether a chart is shown where answers are, and not written as a file of a report.
fn answers_by_text(args: &Args, output: &Output) -> bool {
    let by_name = args.out.as_deref().and_then(Format::of_file);
    let format = output.asked.or(by_name);
    args.definition.is_none()
        && format.is_none_or(|format| format.answer.is_some() && format.name != "svg")
}

fn template(path: &Path) -> Result<Template, CommandError> {
    let file = path.display().to_string();
    match std::fs::read_to_string(path) {
        Ok(text) if text.trim().is_empty() => Err(ReportError::Template {
            place: file,
            problem: "is empty".to_owned(),
        }
        .into()),
        Ok(text) => Ok(Template { file, text }),
        Err(error) => Err(ReportError::Template {
            place: file,
            problem: format!("cannot be read: {error}"),
        }
        .into()),
    }
}

/// Returns the files asked for, by a definition or by flags, and the name of the definition.
fn planned(
    args: &Args,
    app: &App,
    output: &Output,
) -> Result<(Option<String>, Vec<Planned>), CommandError> {
    let Some(name) = &args.definition else {
        let asked = output.asked;
        let file = args.out.as_deref().filter(|out| !names_a_folder(out));
        let by_name = file.and_then(Format::of_file);
        if let (None, None, Some(extension)) = (asked, by_name, file.and_then(Path::extension)) {
            return Err(CommandError::BadValue {
                flag: "--out",
                problem: format!(
                    "no format is known by .{}: name one with --format",
                    extension.display()
                ),
            });
        }
        let format = match asked.or(by_name) {
            None => formats::by_name("csv"),
            Some(format) => format.report,
        };
        let format = format.ok_or_else(|| CommandError::BadValue {
            flag: "--format",
            problem: format!("reports are written as {}", names().join(", ")),
        })?;
        let only = Planned {
            format,
            options: args.file.options(args, app)?,
            name: None,
        };
        return Ok((None, vec![only]));
    };
    if output.asked.is_some() {
        let problem = "the definition names the formats".to_owned();
        let flag = "--format";
        return Err(CommandError::BadValue { flag, problem });
    }
    let definition = app.report_definition(name)?;
    let name = definition.name.clone();
    let files = definition::resolve(&definition)?.into_iter();
    let files = files.map(|(format, name, file)| {
        Ok(Planned {
            options: file.options(args, app)?,
            format,
            name,
        })
    });
    Ok((Some(name), files.collect::<Result<_, CommandError>>()?))
}

fn names() -> Vec<&'static str> {
    formats::FORMATS.iter().map(|format| format.name).collect()
}

fn formats_help() -> String {
    let mut help = "Formats, by --format or the extension of --out:\n".to_owned();
    for format in formats::FORMATS {
        help += &format!("  {:<15} {}\n", format.name, format.about);
    }
    help += "\nDefinitions, each a set of files:\n";
    for (name, about) in report_definition::embedded() {
        help += &format!("  {name:<15} {about}\n");
    }
    help
}

fn names_a_folder(out: &Path) -> bool {
    out.is_dir() || out.as_os_str().to_string_lossy().ends_with('/')
}
