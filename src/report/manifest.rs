//! The manifest of a report: what its files are and what they should add up to. It is written last,
//! so where it stands, the report is whole.

use std::io::{self, Write};

use serde_json::Value;
use sha2::{Digest, Sha256};

use super::{
    finality,
    formats::Format,
    input::{ReportInput, WriteSummary},
    show::hex,
    value::{Amount, Calendar, object, pretty},
};
use crate::domain::rating::RatedMonth;

/// One file of a report.
#[derive(Clone, Debug)]
pub struct FileEntry {
    /// Its name, without folder.
    pub name: String,
    /// Its format.
    pub format: &'static Format,
    /// What was written.
    pub written: WriteSummary,
    /// How long it is.
    pub bytes: u64,
    /// Its SHA-256, in hexadecimal.
    pub sha256: String,
}

object! {
    /// What a report consists of, and what a reader would add up to check it.
    pub struct Manifest = "pipebill.manifest/1" {
        /// The definition it is made by; null for a single file.
        definition: Option<String>,
        /// The months.
        period: String,
        /// The bills it is made from.
        bills: Vec<ReportedBill>,
        /// Its files.
        files: Vec<ReportedFile>,
    }
}

object! {
    /// A bill of a report.
    pub struct ReportedBill {
        /// The month.
        billing_period: Calendar,
        /// What its amounts are in.
        currency: String,
        /// Whether the month is not over.
        open: bool,
        /// How many lines it has.
        lines: u64,
        /// What it comes to.
        cost: Amount,
        /// What it would come to without free tier.
        list_cost: Amount,
        /// What AWS billed; null if no bill says.
        aws_cost: Option<Amount>,
        /// Whether everything has a price and nothing is missing.
        complete: bool,
        /// Whether AWS will not change the month any more; null if its source does not say.
        r#final: Option<bool>,
        /// Why it is not final.
        why: Vec<String>,
        /// How many lines have no price.
        unpriced_lines: u64,
    }
}

object! {
    /// A file of a report.
    pub struct ReportedFile {
        /// Its name, without folder.
        file: String,
        /// Its format.
        format: &'static str,
        /// How many rows it has.
        rows: u64,
        /// How long it is.
        bytes: u64,
        /// Its SHA-256, in hexadecimal.
        sha256: String,
        /// What a reader would add up: the format decides which sums.
        control_totals: Vec<ControlTotals>,
    }
}

/// Sums of a file.
#[derive(Clone, Debug, serde::Serialize)]
#[serde(transparent)]
pub struct ControlTotals(Value);

#[cfg(test)]
impl schemars::JsonSchema for ControlTotals {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "ControlTotals".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "description": "Sums and counts by name.",
            "type": "object",
            "additionalProperties": {"type": ["string", "integer", "boolean", "null", "array"]},
        })
    }
}

/// Renders the manifest.
pub fn render(definition: Option<&str>, input: &ReportInput<'_>, files: &[FileEntry]) -> String {
    let bill = |month: &RatedMonth| {
        let bill = &month.rated.bill;
        let money = |amount| Amount::new(amount, &bill.currency);
        ReportedBill {
            billing_period: Calendar(bill.month),
            currency: bill.currency.to_string(),
            open: bill.month.end() > input.today,
            lines: bill.lines.len() as u64,
            cost: money(bill.total()),
            list_cost: money(bill.list_total()),
            aws_cost: bill.aws_total().map(money),
            complete: bill.is_complete(),
            r#final: bill.is_final(),
            why: finality::why(bill),
            unpriced_lines: bill.unpriced().count() as u64,
        }
    };
    let file = |file: &FileEntry| ReportedFile {
        file: file.name.clone(),
        format: file.format.name,
        rows: file.written.rows,
        bytes: file.bytes,
        sha256: file.sha256.clone(),
        control_totals: file
            .written
            .control_totals
            .iter()
            .cloned()
            .map(ControlTotals)
            .collect(),
    };
    pretty(&Manifest {
        definition: definition.map(str::to_owned),
        period: input.period(),
        bills: input.months.iter().map(bill).collect(),
        files: files.iter().map(file).collect(),
    })
}

/// Passes bytes on and takes their sum.
#[derive(Debug)]
pub struct Summed<W> {
    inner: W,
    digest: Sha256,
    bytes: u64,
}

impl<W: Write> Summed<W> {
    /// Starts with nothing written.
    pub fn new(inner: W) -> Self {
        Self {
            inner,
            digest: Sha256::new(),
            bytes: 0,
        }
    }

    /// Returns the place, how many bytes went there, and their SHA-256 in hexadecimal.
    pub fn finish(self) -> (W, u64, String) {
        (self.inner, self.bytes, hex(&self.digest.finalize()))
    }
}

impl<W: Write> Write for Summed<W> {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        let written = self.inner.write(buffer)?;
        self.digest.update(&buffer[..written]);
        self.bytes += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}
