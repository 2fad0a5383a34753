//! The marks a chart is made of.

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use super::palette::attributes;
use crate::report::text::clean;

/// Where a text stands relative to its point.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Anchor {
    Start,
    Middle,
    End,
}

/// A picture under way.
pub(super) struct Canvas {
    id: &'static str,
    width: f64,
    height: f64,
    marks: String,
}

impl Canvas {
    pub(super) fn new(id: &'static str, width: f64, height: f64) -> Self {
        Self {
            id,
            width,
            height,
            marks: String::new(),
        }
    }

    /// Ends the picture: its name and what it shows come first.
    pub(super) fn finish(self, title: &str, finding: &str) -> String {
        let (id, width, height) = (self.id, px(self.width), px(self.height));
        format!(
            "<svg class=\"chart\" viewBox=\"0 0 {width} {height}\" width=\"{width}\" height=\"{height}\" role=\"img\" \
             aria-labelledby=\"{id}-t {id}-d\" font-family=\"system-ui,-apple-system,'Segoe UI',\
             'DejaVu Sans','Hiragino Sans','Microsoft YaHei','Noto Sans CJK SC','Apple Color Emoji',\
             'Segoe UI Emoji','Noto Color Emoji',sans-serif\" font-size=\"12\"><title id=\"{id}-t\">{}</title>\
             <desc id=\"{id}-d\">{}</desc>{}</svg>",
            escape(title),
            escape(finding),
            self.marks
        )
    }

    /// Draws a rectangle; what it stands for is shown by the mouse.
    pub(super) fn rect(&mut self, class: &str, at: [f64; 4], says: &str) {
        let [x, y, width, height] = at.map(px);
        let open = format!(
            "<rect {} x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{height}\"",
            ink(class)
        );
        self.close(&open, "rect", says);
    }

    pub(super) fn line(&mut self, class: &str, from: (f64, f64), to: (f64, f64)) {
        let [x1, y1, x2, y2] = [from.0, from.1, to.0, to.1].map(px);
        self.marks += &format!(
            "<line {} x1=\"{x1}\" y1=\"{y1}\" x2=\"{x2}\" y2=\"{y2}\"/>",
            ink(class)
        );
    }

    /// Draws a line through points.
    pub(super) fn polyline(&mut self, class: &str, points: &[(f64, f64)]) {
        self.marks += &format!("<polyline {} points=\"{}\"/>", ink(class), joined(points));
    }

    pub(super) fn polygon(&mut self, class: &str, points: &[(f64, f64)]) {
        self.marks += &format!("<polygon {} points=\"{}\"/>", ink(class), joined(points));
    }

    pub(super) fn dot(&mut self, class: &str, at: (f64, f64), radius: f64, says: &str) {
        let open = format!(
            "<circle {} cx=\"{}\" cy=\"{}\" r=\"{}\"",
            ink(class),
            px(at.0),
            px(at.1),
            px(radius)
        );
        self.close(&open, "circle", says);
    }

    /// Writes words. They may come from tags and names.
    pub(super) fn text(&mut self, class: &str, at: (f64, f64), anchor: Anchor, words: &str) {
        self.text_in(class, at, anchor, words, f64::INFINITY);
    }

    /// Writes words within a width; what is cut off stands in full where the mouse points.
    pub(super) fn text_in(
        &mut self,
        class: &str,
        at: (f64, f64),
        anchor: Anchor,
        words: &str,
        room: f64,
    ) {
        let words = one_line(words);
        let shown = fitted(&words, room);
        let anchor = match anchor {
            Anchor::Start => "",
            Anchor::Middle => " text-anchor=\"middle\"",
            Anchor::End => " text-anchor=\"end\"",
        };
        let full = if shown == words { "" } else { &words };
        let (x, y) = (px(at.0), px(at.1));
        self.marks += &format!(
            "<text {} x=\"{x}\" y=\"{y}\"{anchor}>{}{}</text>",
            ink(class),
            hover(full),
            escape(&shown)
        );
    }

    /// Adds marks drawn elsewhere.
    pub(super) fn raw(&mut self, marks: &str) {
        self.marks += marks;
    }

    /// Defines the hatching of what is not whole. Call it once.
    pub(super) fn hatching(&mut self) {
        let id = self.id;
        self.marks += &format!(
            "<defs><pattern id=\"{id}-hatch\" width=\"6\" height=\"6\" patternUnits=\"userSpaceOnUse\" \
             patternTransform=\"rotate(45)\"><rect {} width=\"2.5\" height=\"6\"/></pattern></defs>",
            ink("hatch")
        );
    }

    /// Hatches a rectangle.
    pub(super) fn hatched(&mut self, at: [f64; 4], says: &str) {
        let [x, y, width, height] = at.map(px);
        let open = format!(
            "<rect fill=\"url(#{}-hatch)\" x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{height}\"",
            self.id
        );
        self.close(&open, "rect", says);
    }

    fn close(&mut self, open: &str, name: &str, says: &str) {
        self.marks += open;
        if says.is_empty() {
            self.marks += "/>";
        } else {
            self.marks += &format!(">{}</{name}>", hover(says));
        }
    }
}

fn ink(class: &str) -> String {
    format!("class=\"{class}\" {}", attributes(class))
}

/// What the mouse shows; nothing if there is nothing to say.
pub(super) fn hover(says: &str) -> String {
    if says.is_empty() {
        String::new()
    } else {
        format!("<title>{}</title>", escape(says))
    }
}

fn joined(points: &[(f64, f64)]) -> String {
    let pairs: Vec<String> = points
        .iter()
        .map(|(x, y)| format!("{},{}", px(*x), px(*y)))
        .collect();
    pairs.join(" ")
}

/// A coordinate, to a tenth.
pub(super) fn px(value: f64) -> String {
    let text = format!("{value:.1}");
    let text = text.strip_suffix(".0").unwrap_or(&text);
    if text == "-0" { "0" } else { text }.to_owned()
}

/// Makes text inert in markup: no control characters, no elements, no way out of an attribute.
pub fn escape(text: &str) -> String {
    let mut out = String::new();
    for c in one_line(text).chars() {
        match c {
            '&' => out += "&amp;",
            '<' => out += "&lt;",
            '>' => out += "&gt;",
            '"' => out += "&quot;",
            '\'' => out += "&#39;",
            // Noncharacters are no part of XML.
            '\u{fffe}' | '\u{ffff}' => out.push('\u{fffd}'),
            c => out.push(c),
        }
    }
    out
}

fn one_line(text: &str) -> String {
    clean(&text.replace(['\n', '\t'], " "))
}

/// About how wide a text is at 12 units, in a wide typeface.
pub(super) fn width_of(text: &str) -> f64 {
    text.width() as f64 * 7.3
}

/// Cuts a text to a width.
fn fitted(text: &str, room: f64) -> String {
    if width_of(text) <= room {
        return text.to_owned();
    }
    let mut out = String::new();
    let mut used = width_of("…");
    for c in text.chars() {
        used += c.width().unwrap_or(0) as f64 * 7.3;
        if used > room {
            break;
        }
        out.push(c);
    }
    format!("{}…", out.trim_end())
}

/// Breaks a text into at most `lines` lines of a width, at spaces and after the marks that names are
/// put together with; the last one may be cut.
pub(super) fn broken(text: &str, room: f64, lines: usize) -> Vec<String> {
    let text = one_line(text);
    let mut out: Vec<String> = Vec::new();
    for piece in text.split_inclusive([' ', '-', '_', '/', '.', '=', ',', '|']) {
        let full = out.len() == lines;
        match out.last_mut() {
            Some(line) if full || width_of(line) + width_of(piece.trim_end()) <= room => {
                line.push_str(piece);
            }
            _ => out.push(piece.to_owned()),
        }
    }
    out.iter()
        .map(|line| fitted(line.trim_end(), room))
        .collect()
}

/// Moves labels apart so that none stands on another: centres in, centres out, in the same order.
pub(super) fn apart(wanted: &[f64], gap: f64, top: f64, bottom: f64) -> Vec<f64> {
    let mut order: Vec<usize> = (0..wanted.len()).collect();
    order.sort_by(|&a, &b| wanted[a].total_cmp(&wanted[b]));
    let mut placed = wanted.to_vec();
    let mut floor = top;
    for &at in &order {
        placed[at] = placed[at].max(floor);
        floor = placed[at] + gap;
    }
    let mut ceiling = bottom;
    for &at in order.iter().rev() {
        placed[at] = placed[at].min(ceiling);
        ceiling = placed[at] - gap;
    }
    placed
}
