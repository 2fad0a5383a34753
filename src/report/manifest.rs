//! The manifest of a report: what its files are and what they should add up to. It is written last,
//! so where it stands, the report is whole.

use std::io::{self, Write};

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::{
    finality,
    formats::{Format, ReportInput, WriteSummary},
};

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

/// Renders the manifest.
pub fn render(definition: Option<&str>, input: &ReportInput<'_>, files: &[FileEntry]) -> String {
    let manifest = json!({
        "schema": "pipebill.manifest/2",
        "definition": definition,
        "period": input.period(),
        "bills": input.months.iter().map(|month| {
            let bill = &month.rated.bill;
            json!({
                "billing_period": bill.month.to_string(),
                "currency": bill.currency.as_str(),
                "open": bill.month.end() > input.today,
                "lines": bill.lines.len(),
                "cost": bill.total().to_string(),
                "list_cost": bill.list_total().to_string(),
                "aws_cost": bill.aws_total().map(|cost| cost.to_string()),
                "complete": bill.is_complete(),
                "final": bill.is_final(),
                "why": finality::why(bill),
                "unpriced_lines": bill.unpriced().count(),
            })
        }).collect::<Vec<Value>>(),
        "files": files.iter().map(|file| json!({
            "file": file.name,
            "format": file.format.name,
            "rows": file.written.rows,
            "bytes": file.bytes,
            "sha256": file.sha256,
            "control_totals": file.written.control_totals,
        })).collect::<Vec<Value>>(),
    });
    let mut text = serde_json::to_string_pretty(&manifest).expect("a value of ours is JSON");
    text.push('\n');
    text
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

/// Writes bytes as hexadecimal digits.
pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
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
