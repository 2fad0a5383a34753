//! What a file is that is no export: named, so that its owner knows what to bring in its place.

use std::fmt;

use super::{layout, values::shown};

/// Something that people have beside or in place of an export.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Stranger {
    /// What AWS writes beside a delivery, about it.
    Manifest,
    /// Statements that AWS writes beside a report, to make a table of it.
    Sql,
    /// A digest of another file.
    Digest,
    /// The bill in detail that AWS stopped writing.
    DetailedBill,
    /// A file of a spreadsheet program.
    Workbook(&'static str),
    /// A document.
    Pdf,
    /// A page of a web site.
    Html,
    /// An answer of AWS's command line that is not JSON.
    CliOutput(&'static str),
    /// A part of an answer of Cost Explorer, without what says what it is of.
    QueryOutput,
    /// A dictionary as Python prints it.
    Printed,
    /// The answer of another command.
    OtherAnswer(&'static str),
    /// Jobs of a CI system, or runs of one, in a form that tells too little or is not read.
    OtherJobs(&'static str),
    /// JSON that is nothing known.
    OtherJson,
    /// An empty answer.
    EmptyAnswer,
    /// What AWS said instead of an answer.
    Refusal(String),
    /// Text whose columns are not apart by commas.
    Separators(&'static str),
    /// A download of Cost Explorer that has quantities and no costs.
    Quantities(String),
}

impl fmt::Display for Stranger {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Manifest => f.write_str("a manifest, which lists the files of a delivery"),
            Self::Sql => f.write_str("an SQL script"),
            Self::Digest => f.write_str("the checksum of another file"),
            Self::DetailedBill => f.write_str("a detailed billing report, which is not read here"),
            Self::Workbook(program) => write!(f, "a workbook ({program}), not CSV text"),
            Self::Pdf => f.write_str("a PDF document, not CSV text"),
            Self::Html => f.write_str("a web page, not CSV text"),
            Self::CliOutput(format) => {
                write!(f, "an answer of the AWS CLI as {format}, not as JSON")
            }
            Self::QueryOutput => f.write_str(
                "a part of an answer, as `--query` cuts it: what its values are of is not in it",
            ),
            Self::Printed => f.write_str("an answer as Python prints it, which is not JSON"),
            Self::OtherAnswer(command) => {
                write!(f, "an answer of `aws {command}`, not of get-cost-and-usage")
            }
            Self::OtherJobs(what) => f.write_str(what),
            Self::OtherJson => {
                f.write_str("JSON of another kind, not an answer of get-cost-and-usage")
            }
            Self::EmptyAnswer => f.write_str("an answer with nothing in it"),
            Self::Refusal(message) => write!(f, "an error message: {message}"),
            Self::Separators(mark) => write!(f, "text with {mark} between its columns, not commas"),
            Self::Quantities(unit) => {
                write!(f, "a download of usage quantities ({unit}) without costs")
            }
        }
    }
}

impl Stranger {
    /// Tells whether it is left out beside exports. What was meant as an export is not.
    pub(super) const fn is_left_out(&self) -> bool {
        matches!(
            self,
            Self::Manifest
                | Self::Sql
                | Self::Digest
                | Self::DetailedBill
                | Self::Workbook(_)
                | Self::Pdf
                | Self::Html
                | Self::OtherAnswer(_)
                | Self::OtherJson
                | Self::Quantities(_)
        )
    }

    /// Recognises what is no text.
    pub(super) fn of_bytes(head: &[u8]) -> Option<Self> {
        let starts = |magic: &[u8]| head.starts_with(magic);
        if starts(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1") {
            return Some(Self::Workbook("Excel 97"));
        }
        starts(b"%PDF-").then_some(Self::Pdf)
    }

    /// Recognises a workbook by the names in its archive.
    pub(super) fn of_archive(names: &[String]) -> Option<Self> {
        let has = |part: &str| names.iter().any(|name| name.starts_with(part));
        if has("xl/") {
            return Some(Self::Workbook("Excel"));
        }
        if has("Index/") && has("Metadata/") {
            return Some(Self::Workbook("Numbers"));
        }
        (has("mimetype") && has("content.xml")).then_some(Self::Workbook("OpenDocument"))
    }

    /// Recognises text that is neither CSV nor JSON by how it begins.
    pub(super) fn of_text(head: &[u8]) -> Option<Self> {
        let text = String::from_utf8_lossy(&head[..head.len().min(4096)]);
        let text = text.trim_start();
        let first = text.lines().next().unwrap_or_default().trim_end();
        let lower = text.get(..text.len().min(512)).map(str::to_ascii_lowercase);
        let lower = lower.unwrap_or_else(|| first.to_ascii_lowercase());
        let starts = |words: &[&str]| words.iter().any(|word| lower.starts_with(word));
        if starts(&["<!doctype html", "<html", "<head", "<body", "<script"]) {
            return Some(Self::Html);
        }
        if starts(&["<?xml", "<error"]) {
            return Some(of_xml(text));
        }
        if starts(&[
            "an error occurred (",
            "unable to locate credentials",
            "aws: error",
            "usage: aws ",
            "error when retrieving token",
            "error loading sso token",
            "the sso session",
            "you must specify a region",
            "could not connect to the endpoint",
            "partial credentials found",
        ]) {
            return Some(Self::Refusal(shown_long(first)));
        }
        if starts(&[
            "create external table",
            "create table",
            "create schema",
            "copy ",
            "drop table",
        ]) {
            return Some(Self::Sql);
        }
        if starts(&["{'", "[{'"]) {
            return Some(Self::Printed);
        }
        if first.len() > 20 && first.bytes().all(|byte| matches!(byte, b'-' | b'+')) {
            return Some(Self::CliOutput("a table"));
        }
        let (word, rest) = first.split_once('\t').unwrap_or((first, ""));
        if CLI_WORDS.contains(&word) && !rest.contains(',') {
            return Some(Self::CliOutput("text"));
        }
        let key = first.strip_prefix("- ").unwrap_or(first);
        if let Some((key, value)) = key.split_once(':')
            && YAML_KEYS.contains(&key)
            && !value.contains(',')
        {
            return Some(Self::CliOutput("YAML"));
        }
        let digest = first.split_whitespace().next().unwrap_or_default();
        let is_digest = matches!(digest.len(), 32 | 40 | 64)
            && digest.bytes().all(|byte| byte.is_ascii_hexdigit())
            && !first.contains(',');
        is_digest.then_some(Self::Digest)
    }

    /// Recognises other text by the header that it has in place of an export's.
    pub(super) fn of_header(header: &[String]) -> Option<Self> {
        let has = |name: &str| header.iter().any(|known| known.eq_ignore_ascii_case(name));
        if has("RecordType") && has("RateId") && (has("SubscriptionId") || has("PricingPlanId")) {
            return Some(Self::DetailedBill);
        }
        let line = header.join(",");
        for (mark, name) in [(';', "semicolons"), ('\t', "tabs"), ('|', "bars")] {
            if line.eq_ignore_ascii_case(&format!("sep={mark}")) {
                return Some(Self::Separators(name));
            }
            let fields: Vec<String> = line
                .split(mark)
                .map(|name| name.trim().trim_matches('"').to_owned())
                .collect();
            if fields.len() > header.len()
                && (layout::resembles(&fields) || super::console::header::is_console(&fields))
            {
                return Some(Self::Separators(name));
            }
        }
        None
    }

    /// Recognises JSON that is no answer of get-cost-and-usage by how it begins; `is_json` as far as it
    /// was read.
    pub(super) fn of_json(head: &[u8], is_json: bool) -> Option<Self> {
        let text = String::from_utf8_lossy(head);
        let text = text.trim_start();
        if text.starts_with("{'") || text.starts_with("[{'") {
            return Some(Self::Printed);
        }
        let bare: String = text
            .chars()
            .filter(|c| !c.is_whitespace())
            .take(3)
            .collect();
        if matches!(bare.as_str(), "[]" | "{}" | "[[]" | "[{}") {
            return Some(Self::EmptyAnswer);
        }
        let keys = outer_keys(text);
        let has = |key: &str| keys.iter().any(|known| known == key);
        if has("reportKeys") || has("assemblyId") || has("dataFiles") || has("exportArn") {
            return Some(Self::Manifest);
        }
        if let Some(what) = near_miss(&keys, text) {
            return Some(Self::OtherJobs(what));
        }
        if has("__type") || (has("message") || has("Message")) && keys.len() < 4 || has("Error") {
            let message = shown_long(&text.split_whitespace().collect::<Vec<_>>().join(" "));
            return Some(Self::Refusal(message));
        }
        let answers = ANSWERS.iter().find(|(key, _)| has(key));
        if let Some((_, command)) = answers {
            return Some(Self::OtherAnswer(command));
        }
        let is_part = ["TimePeriod", "Groups", "Keys", "Metrics", "Amount"]
            .iter()
            .any(|key| has(key));
        let is_list = text.starts_with('[') && !has("ResultsByTime");
        if is_part || (is_list && is_json) {
            return Some(Self::QueryOutput);
        }
        let is_whole = serde_json::from_slice::<serde::de::IgnoredAny>(head).is_ok();
        (is_whole && !has("ResultsByTime")).then_some(Self::OtherJson)
    }
}

/// Words that begin lines of `--output text`.
const CLI_WORDS: [&str; 20] = [
    "ACCOUNTS",
    "AMORTIZEDCOST",
    "ATTRIBUTES",
    "BLENDEDCOST",
    "DIMENSIONVALUEATTRIBUTES",
    "DIMENSIONVALUES",
    "GROUPDEFINITIONS",
    "GROUPS",
    "KEYS",
    "METRICS",
    "NETAMORTIZEDCOST",
    "NETUNBLENDEDCOST",
    "NEXTPAGETOKEN",
    "NORMALIZEDUSAGEAMOUNT",
    "RESULTSBYTIME",
    "TIMEPERIOD",
    "TOTAL",
    "UNBLENDEDCOST",
    "USAGEQUANTITY",
    "FORECASTRESULTSBYTIME",
];

/// Keys that begin an answer as YAML.
const YAML_KEYS: [&str; 7] = [
    "DimensionValueAttributes",
    "GroupDefinitions",
    "Groups",
    "NextPageToken",
    "ResultsByTime",
    "TimePeriod",
    "Total",
];

/// What tells the answers of other commands.
const ANSWERS: [(&str, &str); 22] = [
    ("ForecastResultsByTime", "ce get-cost-forecast"),
    ("DimensionValues", "ce get-dimension-values"),
    ("Anomalies", "ce get-anomalies"),
    ("AnomalyMonitors", "ce get-anomaly-monitors"),
    (
        "CostAndUsageComparisons",
        "ce get-cost-and-usage-comparisons",
    ),
    (
        "SavingsPlansUtilizationsByTime",
        "ce get-savings-plans-utilization",
    ),
    (
        "SavingsPlansUtilizationDetails",
        "ce get-savings-plans-utilization-details",
    ),
    ("SavingsPlansCoverages", "ce get-savings-plans-coverage"),
    ("UtilizationsByTime", "ce get-reservation-utilization"),
    ("CoveragesByTime", "ce get-reservation-coverage"),
    (
        "RightsizingRecommendations",
        "ce get-rightsizing-recommendation",
    ),
    (
        "CostCategoryReferences",
        "ce list-cost-category-definitions",
    ),
    ("CostCategoryNames", "ce get-cost-categories"),
    ("Tags", "ce get-tags"),
    ("ReportDefinitions", "cur describe-report-definitions"),
    ("Exports", "bcm-data-exports list-exports"),
    ("Budgets", "budgets describe-budgets"),
    ("InvoiceSummaries", "invoicing list-invoice-summaries"),
    ("builds", "codebuild batch-get-builds"),
    ("ids", "codebuild list-builds"),
    ("pipelines", "codepipeline list-pipelines"),
    ("PriceList", "pricing get-products"),
];

/// Names what lists jobs or runs, and is not GitHub's answer with jobs, by how the text begins and the
/// keys of its first object.
pub(super) fn near_miss(keys: &[String], text: &str) -> Option<&'static str> {
    let has = |key: &str| keys.iter().any(|known| known == key);
    if has("workflow_runs") {
        return Some("a list of workflow runs, not of their jobs");
    }
    let has_jobs = has("jobs") && !text.contains("\"run_id\"");
    if has("databaseId") || has_jobs && text.contains("\"databaseId\"") {
        return Some("jobs as `gh run view` writes them, without labels and runner");
    }
    if has("stage") && has("pipeline") && has("web_url") {
        return Some("a list of GitLab's jobs, which are not read yet");
    }
    (has("pipeline") && has("jobs") && has("build_number") || has("graphql_id"))
        .then_some("an answer of Buildkite, which is not read yet")
}

/// Says what an XML file is.
fn of_xml(text: &str) -> Stranger {
    if text.contains("Excel.Sheet") || text.contains("schemas-microsoft-com:office:spreadsheet") {
        return Stranger::Workbook("Excel XML");
    }
    let inner = |tag: &str| {
        let (_, rest) = text.split_once(&format!("<{tag}>"))?;
        Some(rest.split_once('<')?.0.to_owned())
    };
    match (inner("Code"), inner("Message")) {
        (Some(code), Some(message)) => Stranger::Refusal(shown_long(&format!("{code}: {message}"))),
        _ => Stranger::Html,
    }
}

/// Returns the keys of the outermost object of a JSON text, or of the first in a list, as far as the
/// text goes.
pub(super) fn outer_keys(text: &str) -> Vec<String> {
    let (mut depth, mut inside, mut escaped, mut begun) = (0, false, false, 0);
    let outermost = if text.starts_with('[') { 2 } else { 1 };
    let mut keys: Vec<String> = Vec::new();
    let mut last = "";
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if inside => escaped = true,
            b'"' if inside => (inside, last) = (false, &text[begun..at]),
            b'"' => (inside, begun) = (true, at + 1),
            _ if inside => {}
            b'{' | b'[' => depth += 1,
            b'}' | b']' => depth -= 1,
            b':' if depth == outermost => keys.push(last.to_owned()),
            _ => {}
        }
    }
    keys
}

/// Returns a message as an error may show it.
fn shown_long(text: &str) -> String {
    let clean: String = text.chars().filter(|c| !c.is_control()).take(160).collect();
    if clean.is_empty() { shown(text) } else { clean }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_those_of_the_outermost_object() {
        let text = r#"{"a":{"b":1},"c\"d":[{"e":2}],"f":"x:y"#;
        assert_eq!(outer_keys(text), ["a", "c\\\"d", "f"]);
        assert_eq!(
            outer_keys(r#"[{"Keys":["x"],"Metrics":{"#),
            ["Keys", "Metrics"]
        );
    }
}
