//! Markdown for pull requests and wikis.

use super::{Block, Document, Table, answer::AnswerFormat, text::clean, words};

/// For pull requests and wikis.
pub(super) const FORMAT: AnswerFormat = AnswerFormat {
    name: "markdown",
    extension: "md",
    about: "For pull requests and wikis",
    render: |answer, _| Ok(render(&answer.document).into()),
};

/// Renders a document.
pub fn render(document: &Document) -> String {
    let mut out = match &*document.title {
        "" => String::new(),
        title => format!("### {}\n", escaped(title)),
    };
    for block in &document.blocks {
        if matches!(block, Block::Table(table) if table.is_empty()) {
            continue;
        }
        if !out.is_empty() {
            out.push('\n');
        }
        match block {
            Block::Heading(heading) => out += &format!("#### {}\n", escaped(heading)),
            Block::Table(table) => {
                out += &self::table(table);
                out += &(table.seen().1)
                    .map(|more| format!("\n{}\n", escaped(&more)))
                    .unwrap_or_default();
            }
            Block::Verdict(line) => out += &format!("{}\n", escaped(line)),
            Block::Lines(lines) => {
                out += &lines
                    .iter()
                    .map(|line| format!("{}  \n", escaped(line.trim_start())))
                    .collect::<String>();
            }
            Block::Chart(chart) => {
                let drawn = chart.letters(80, true).replace('`', "'");
                out += &format!("```text\n{drawn}```\n");
            }
            Block::Fan(fan) => {
                out += &format!("```text\n{}```\n", super::chart::fan_in_text(fan, 80, true));
            }
            Block::Notes(_) | Block::All(_) | Block::Explained { .. } => {
                out += &words::seen(block)
                    .iter()
                    .map(|note| format!("- {}\n", escaped(note)))
                    .collect::<String>();
            }
        }
    }
    out
}

/// Renders a table.
pub(super) fn table(table: &Table) -> String {
    let shown = table.shown_columns();
    if shown.is_empty() {
        return String::new();
    }
    let line = |cells: Vec<String>| format!("| {} |\n", cells.join(" | "));
    let mut out = line(
        shown
            .iter()
            .map(|&at| escaped(&table.columns[at].heading))
            .collect(),
    );
    out += &line(
        shown
            .iter()
            .map(|&at| {
                let right = table
                    .rows
                    .iter()
                    .any(|row| row[at].is_number() && !row[at].shown().is_empty());
                if right {
                    "---:".to_owned()
                } else {
                    "---".to_owned()
                }
            })
            .collect(),
    );
    for row in table.seen().0 {
        out += &line(shown.iter().map(|&at| escaped(&row[at].shown())).collect());
    }
    for row in &table.totals {
        let bold = |text: String| {
            if text.is_empty() {
                text
            } else {
                format!("**{text}**")
            }
        };
        out += &line(
            shown
                .iter()
                .map(|&at| bold(escaped(&row[at].shown())))
                .collect(),
        );
    }
    out
}

/// Makes text inert: no markup, no links, no mentions.
pub(super) fn escaped(text: &str) -> String {
    let mut out = String::new();
    for c in clean(text).replace('\n', " ").chars() {
        match c {
            '<' => out += "&lt;",
            '>' => out += "&gt;",
            '&' => out += "&amp;",
            '@' => out += "&#64;",
            '|' | '\\' | '`' | '*' | '_' | '[' | ']' | '#' | '~' => {
                out.push('\\');
                out.push(c);
            }
            c => out.push(c),
        }
    }
    out
}
