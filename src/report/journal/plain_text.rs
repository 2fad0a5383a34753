//! Journals for plain-text accounting: hledger and beancount.

use std::{collections::BTreeSet, io::Write};

use super::{Book, one_line, write_text};
use crate::{
    domain::{gl::DateStyle, ids::AccountId, journal::EntryLine},
    report::input::{Options, ReportError, ReportInput, WriteSummary},
};

type Made = Result<WriteSummary, ReportError>;

/// Writes a journal of hledger.
pub(in crate::report) fn hledger(
    input: &ReportInput<'_>,
    options: &Options,
    sink: &mut dyn Write,
) -> Made {
    let book = Book::of(input, options)?;
    let currency = book.currency();
    let mut text = String::new();
    if book.mapping.open_accounts {
        let mut zeros = ".".to_owned();
        zeros.extend(std::iter::repeat_n('0', currency.decimals() as usize));
        text += &format!("commodity 1000{zeros} {currency}\n");
        for account in accounts(&book) {
            text += &format!("account {}\n", hledger_name(account));
        }
    }
    let mut rows = 0;
    for entry in &book.journal.entries {
        text += &format!(
            "\n{} * ({}) {}  ; period:{}, kind:{}",
            super::styled(entry.date, DateStyle::Iso),
            book.reference(entry),
            hledger_text(&book.title(entry)),
            entry.month,
            entry.kind.name()
        );
        let tags = [
            ("payer", entry.payer.as_ref().map(AccountId::as_str)),
            ("entity", entry.entity.as_deref()),
        ];
        for (tag, value) in tags {
            text += &value.map_or(String::new(), |value| {
                format!(", {tag}:{}", hledger_text(value))
            });
        }
        text.push('\n');
        for line in &entry.lines {
            rows += 1;
            let what = hledger_text(&book.describe(entry, line));
            let center = line.cost_center.as_deref().map_or(String::new(), |center| {
                format!(", cost_center:{}", hledger_text(center))
            });
            text += &format!(
                "    {:<40}  {:>12} {currency}  ; {what}{center}\n",
                hledger_name(&line.gl_account),
                line.amount.to_string(),
            );
        }
    }
    write_text(sink, &text)?;
    Ok(book.written(rows))
}

fn accounts<'b>(book: &'b Book<'_>) -> BTreeSet<&'b str> {
    let lines = book.journal.entries.iter().flat_map(|entry| &entry.lines);
    lines.map(|line| &*line.gl_account).collect()
}

/// An account ends at two spaces or a comment.
fn hledger_name(account: &str) -> String {
    let words = one_line(account).replace(';', ",");
    words.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// A comment's tag ends at a comma; a bar parts payee from note.
fn hledger_text(text: &str) -> String {
    one_line(text)
        .replace([',', ';', '|', ':'], " ")
        .trim()
        .to_owned()
}

/// Writes a journal of beancount.
pub(in crate::report) fn beancount(
    input: &ReportInput<'_>,
    options: &Options,
    sink: &mut dyn Write,
) -> Made {
    let book = Book::of(input, options)?;
    let currency = book.currency();
    let mut text = String::new();
    let first = book.journal.entries.iter().map(|entry| entry.date).min();
    for account in accounts(&book) {
        if !is_beancount_account(account) {
            return Err(ReportError::BadAccount {
                format: "beancount",
                account: account.to_owned(),
                needs: "a name such as Expenses:Cloud:CodeBuild: one of Assets, Liabilities, \
                        Equity, Income and Expenses, then parts of letters, digits and dashes \
                        that begin with a capital or a digit",
            });
        }
        if book.mapping.open_accounts
            && let Some(first) = first
        {
            text += &format!("{first} open {account}\n");
        }
    }
    let mut rows = 0;
    for entry in &book.journal.entries {
        text += &format!(
            "\n{} * {} {}\n",
            entry.date,
            quoted(&book.mapping.vendor),
            quoted(&book.title(entry))
        );
        let mut meta = |key: &str, value: &str| {
            text += &format!("  {key}: {}\n", quoted(value));
        };
        meta("reference", &book.reference(entry));
        meta("period", &entry.month.to_string());
        meta("kind", entry.kind.name());
        if let Some(payer) = &entry.payer {
            meta("payer", payer.as_str());
        }
        if let Some(entity) = &entry.entity {
            meta("entity", entity);
        }
        for line in &entry.lines {
            rows += 1;
            text += &format!(
                "  {:<40}  {:>12} {currency}\n",
                line.gl_account,
                line.amount.to_string()
            );
            text += &format!("    description: {}\n", quoted(&book.describe(entry, line)));
            text += &posting_meta(&book, line);
        }
    }
    write_text(sink, &text)?;
    Ok(book.written(rows))
}

fn posting_meta(book: &Book<'_>, line: &EntryLine) -> String {
    let mut meta = String::new();
    if let Some(center) = &line.cost_center {
        meta += &format!("    cost_center: {}\n", quoted(center));
    }
    if let Some(exchange) = book.exchange {
        meta += &format!("    billed: {} {}\n", line.billed, exchange.from);
    }
    meta
}

fn quoted(text: &str) -> String {
    format!(
        "\"{}\"",
        one_line(text).replace('\\', "\\\\").replace('"', "\\\"")
    )
}

fn is_beancount_account(account: &str) -> bool {
    let mut parts = account.split(':');
    let root = parts.next().unwrap_or_default();
    let roots = ["Assets", "Liabilities", "Equity", "Income", "Expenses"];
    let mut rest = parts.peekable();
    roots.contains(&root)
        && rest.peek().is_some()
        && rest.all(|part| {
            let begins = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit();
            part.starts_with(begins) && part.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')
        })
}
