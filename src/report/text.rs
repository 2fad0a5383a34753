//! For a terminal: tables that fit its width, without colour as their only meaning.

use comfy_table::{
    Cell as TextCell, CellAlignment, ContentArrangement, LineStyle, Table as TextTable, TableStyle,
};
use unicode_width::UnicodeWidthStr;

use super::{
    Block, Document, Table,
    answer::{AnswerFormat, Terminal},
    words,
};

/// For a terminal.
pub(super) const FORMAT: AnswerFormat = AnswerFormat {
    name: "table",
    extension: "txt",
    about: "For a terminal",
    render: |answer, terminal| Ok(render(&answer.document, terminal).into()),
};

/// Renders a document. The text ends with a line break.
pub fn render(document: &Document, terminal: Terminal) -> String {
    let mut parts = Vec::new();
    if !document.title.is_empty() {
        parts.push(format!("{}\n", heading(&document.title, terminal)));
    }
    for block in &document.blocks {
        parts.push(match block {
            Block::Heading(text) => format!("{}\n", heading(text, terminal)),
            // Headings over nothing say nothing; the notes say why.
            Block::Table(table) if table.is_empty() => continue,
            Block::Table(table) => {
                let (_, more) = table.seen();
                let more = more.map(|more| format!("{more}\n")).unwrap_or_default();
                render_table(table, terminal) + &more
            }
            Block::Verdict(line) => format!("{}\n", clean(line)),
            Block::Lines(lines) => {
                let wrapped = |line: &String| {
                    let indent = line.len() - line.trim_start().len();
                    wrap(&clean(line), terminal.width, &" ".repeat(indent + 2))
                };
                lines
                    .iter()
                    .map(|line| format!("{}\n", wrapped(line)))
                    .collect()
            }
            Block::Chart(chart) => chart.letters(terminal.width, terminal.unicode),
            Block::Fan(fan) => super::chart::fan_in_text(fan, terminal.width, terminal.unicode),
            Block::Notes(_) | Block::All(_) | Block::Explained { .. } => {
                let wrapped =
                    |note: &String| wrap(&clean(&format!("- {note}")), terminal.width, "  ");
                words::seen(block)
                    .iter()
                    .map(|note| format!("{}\n", wrapped(note)))
                    .collect()
            }
        });
    }
    parts.retain(|part| !part.is_empty());
    let text = parts.join("\n");
    if terminal.unicode { text } else { ascii(&text) }
}

fn heading(text: &str, terminal: Terminal) -> String {
    let text = wrap(&clean(text), terminal.width, "");
    let bold = anstyle::Style::new().bold();
    if terminal.colour {
        format!("{bold}{text}{bold:#}")
    } else {
        text
    }
}

fn render_table(table: &Table, terminal: Terminal) -> String {
    let rows = table.seen().0;
    let mut shown = table.shown_columns();
    if shown.is_empty() {
        return String::new();
    }
    while too_wide(table, &shown, terminal.width) {
        let Some((at, _)) = shown
            .iter()
            .enumerate()
            .filter(|(_, column)| table.columns[**column].drop > 0)
            .max_by_key(|(_, column)| table.columns[**column].drop)
        else {
            break;
        };
        shown.remove(at);
    }
    // A table for files alone.
    if shown.is_empty() {
        return String::new();
    }
    let mut text = TextTable::new();
    text.load_style(style(terminal.unicode))
        .set_content_arrangement(ContentArrangement::Dynamic)
        .set_width(terminal.width);
    let right = |at: usize| {
        rows.iter()
            .any(|row| row[at].is_number() && !row[at].shown().is_empty())
    };
    let cell = |content: String, at: usize| {
        let alignment = if right(at) {
            CellAlignment::Right
        } else {
            CellAlignment::Left
        };
        TextCell::new(clean(&content)).set_alignment(alignment)
    };
    text.set_header(
        shown
            .iter()
            .map(|&at| cell(table.columns[at].heading.clone(), at)),
    );
    for row in rows {
        text.add_row(shown.iter().map(|&at| cell(row[at].shown(), at)));
    }
    for column in text.column_iter_mut() {
        column.set_padding((0, 1));
    }
    let mut lines: Vec<String> = text
        .lines()
        .map(|line| line.trim_end().to_owned())
        .collect();
    if !table.totals.is_empty() {
        // Totals are laid out with the rows, so that their columns stand below one another.
        for row in &table.totals {
            text.add_row(shown.iter().map(|&at| cell(row[at].shown(), at)));
        }
        lines = text
            .lines()
            .map(|line| line.trim_end().to_owned())
            .collect();
        let rule = lines.get(1).cloned().unwrap_or_default();
        let first_total = lines.len() - table.totals.len();
        lines.insert(first_total, rule);
    }
    lines.iter().map(|line| format!("{line}\n")).collect()
}

fn too_wide(table: &Table, shown: &[usize], width: u16) -> bool {
    let widest = |at: usize| {
        let (seen, _) = table.seen();
        let rows = seen
            .iter()
            .chain(&table.totals)
            .map(|row| clean(&row[at].shown()).width());
        // A long name may wrap; a number may not.
        let flexible = table.rows.iter().all(|row| !row[at].is_number());
        let limit = if flexible { 24 } else { usize::MAX };
        rows.max()
            .unwrap_or(0)
            .min(limit)
            .max(table.columns[at].heading.width())
    };
    let total: usize = shown.iter().map(|&at| widest(at) + 2).sum();
    total > usize::from(width) + 1
}

fn style(unicode: bool) -> TableStyle {
    let fill = if unicode { '─' } else { '-' };
    TableStyle::new().header_separator(LineStyle::none().fill(fill).junction(fill))
}

/// Breaks a line at spaces so that it fits; later lines are indented. What stands before a gap of
/// several spaces is a label: the text beside it stays in its column.
fn wrap(line: &str, width: u16, indent: &str) -> String {
    if line.width() <= usize::from(width) {
        return line.to_owned();
    }
    let lead = line.len() - line.trim_start().len();
    let label = line[lead..].find("  ").map_or(lead, |gap| {
        let text = &line[lead + gap..];
        lead + gap + text.len() - text.trim_start().len()
    });
    let indent = if label > lead {
        " ".repeat(line[..label].width())
    } else {
        indent.to_owned()
    };
    let mut out = line[..label].to_owned();
    let mut used = out.width();
    for (at, word) in line[label..].split_whitespace().enumerate() {
        if at > 0 && used + 1 + word.width() > usize::from(width) {
            out.push('\n');
            out += &indent;
            used = indent.width();
        } else if at > 0 {
            out.push(' ');
            used += 1;
        }
        out += word;
        used += word.width();
    }
    out
}

/// Takes control characters out: text from tags and names must not steer a terminal. Bidirectional
/// overrides go too, for they make a line read as another.
pub fn clean(text: &str) -> String {
    let steers = |c: char| matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}');
    let keep = |c: &char| *c == '\n' || !(c.is_control() || steers(*c));
    text.chars().filter(keep).collect()
}

/// Replaces what a terminal without Unicode cannot show.
fn ascii(text: &str) -> String {
    text.chars()
        .map(|c| match c {
            '×' => 'x',
            '–' | '─' | '—' | '−' => '-',
            '→' => '>',
            '…' => '.',
            c if c.is_ascii() => c,
            _ => '?',
        })
        .collect()
}
