//! The colours of pictures on white. `reports/templates/chart.css` has them again, and the dark
//! ones; a test holds the two together and both to the contrast they need.

/// What a picture stands on.
pub(super) const CARD: &str = "#ffffff";

/// Series, in the order they are given out: blue, orange, teal, rose, violet, gold, grey.
pub(super) const SERIES: [&str; 7] = ["s1", "s2", "s3", "s4", "s5", "s6", "s7"];

/// What is lumped together.
pub(super) const REST: &str = "s7";

/// Shades of a calendar, from nothing to most.
pub(super) const LEVELS: [&str; 6] = ["l0", "l1", "l2", "l3", "l4", "l5"];

const INKS: [(&str, &str); 31] = [
    ("s1", "fill=\"#2f6fde\""),
    ("s2", "fill=\"#c8651b\""),
    ("s3", "fill=\"#1f8a7d\""),
    ("s4", "fill=\"#b5507e\""),
    ("s5", "fill=\"#7f5fd0\""),
    ("s6", "fill=\"#8f7110\""),
    ("s7", "fill=\"#727b8c\""),
    ("up", "fill=\"#c8651b\""),
    ("down", "fill=\"#1f8a7d\""),
    ("whole", "fill=\"#2f6fde\""),
    ("l0", "fill=\"#eceff4\""),
    ("l1", "fill=\"#cfe0f8\""),
    ("l2", "fill=\"#9dc0f2\""),
    ("l3", "fill=\"#5f97e6\""),
    ("l4", "fill=\"#2f6fde\""),
    ("l5", "fill=\"#163f8f\""),
    ("card", "fill=\"#ffffff\""),
    ("hatch", "fill=\"#ffffff\" fill-opacity=\".55\""),
    ("band", "fill=\"#2f6fde\" fill-opacity=\".16\""),
    ("inner", "fill=\"#2f6fde\" fill-opacity=\".16\""),
    (
        "actual",
        "fill=\"none\" stroke=\"#1a2233\" stroke-width=\"2\" stroke-linejoin=\"round\"",
    ),
    ("actual-dot", "fill=\"#1a2233\""),
    (
        "middle",
        "fill=\"none\" stroke=\"#2f6fde\" stroke-width=\"2\" stroke-dasharray=\"6 4\"",
    ),
    (
        "whisker",
        "fill=\"none\" stroke=\"#2f6fde\" stroke-width=\"1.5\"",
    ),
    ("grid", "stroke=\"#e3e6ec\""),
    ("axis", "stroke=\"#8d96a6\""),
    ("link", "stroke=\"#8d96a6\" stroke-dasharray=\"2 3\""),
    (
        "budget",
        "stroke=\"#b3261e\" stroke-width=\"1.5\" stroke-dasharray=\"6 3\"",
    ),
    ("warn", "fill=\"#b3261e\""),
    ("ink", "fill=\"#1a2233\""),
    ("dim", "fill=\"#596275\""),
];

/// Returns how a class looks where no style sheet says otherwise.
pub(super) fn attributes(class: &str) -> String {
    class
        .split(' ')
        .map(|class| match class {
            "strong" => "font-weight=\"600\"",
            "small" => "font-size=\"11\"",
            class => INKS
                .iter()
                .find(|(known, _)| *known == class)
                .map_or("", |(_, look)| look),
        })
        .collect::<Vec<_>>()
        .join(" ")
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    /// Reads `--name:#rrggbb` pairs of the light or the dark block.
    fn variables(dark: bool) -> BTreeMap<String, [u8; 3]> {
        let css = super::super::CSS;
        let (light, rest) = css.split_once("@media").unwrap();
        let block = if dark { rest } else { light };
        let mut found = BTreeMap::new();
        for part in block.split("--").skip(1) {
            let Some((name, value)) = part.split_once(":#") else {
                continue;
            };
            let hex = u32::from_str_radix(&value[..6], 16).unwrap();
            let [_, r, g, b] = hex.to_be_bytes();
            found.entry(name.to_owned()).or_insert([r, g, b]);
        }
        found
    }

    /// Contrast as WCAG 2 defines it.
    fn contrast(a: [u8; 3], b: [u8; 3]) -> f64 {
        let luminance = |colour: [u8; 3]| {
            let [r, g, b] = colour.map(|part| {
                let part = f64::from(part) / 255.0;
                if part <= 0.04045 {
                    part / 12.92
                } else {
                    ((part + 0.055) / 1.055).powf(2.4)
                }
            });
            0.2126 * r + 0.7152 * g + 0.0722 * b
        };
        let (a, b) = (luminance(a) + 0.05, luminance(b) + 0.05);
        a.max(b) / a.min(b)
    }

    #[test]
    fn contrast_is_measured_as_wcag_does() {
        assert!((contrast([0, 0, 0], [255, 255, 255]) - 21.0).abs() < 0.01);
        // The two greys of the WCAG 2 techniques: the last that passes on white, the first that fails.
        assert!(contrast([0x76, 0x76, 0x76], [255; 3]) >= 4.5);
        assert!(contrast([0x77, 0x77, 0x77], [255; 3]) < 4.5);
    }

    #[test]
    fn words_and_marks_stand_out_in_light_and_dark() {
        for dark in [false, true] {
            let colours = variables(dark);
            let card = colours["card"];
            for text in ["ink", "dim", "warn"] {
                let measured = contrast(colours[text], card);
                assert!(measured >= 4.5, "{text}, dark {dark}: {measured:.2}");
            }
            for mark in SERIES
                .into_iter()
                .chain(["up", "down", "l3", "l4", "l5", "axis"])
            {
                let measured = contrast(colours[mark], card);
                let least = if mark == "axis" || mark == "l3" {
                    2.0
                } else {
                    3.0
                };
                assert!(measured >= least, "{mark}, dark {dark}: {measured:.2}");
            }
            for shades in LEVELS.windows(2) {
                let (a, b) = (
                    contrast(colours[shades[0]], card),
                    contrast(colours[shades[1]], card),
                );
                assert!(
                    b > a,
                    "{} is no step above {}, dark {dark}",
                    shades[1],
                    shades[0]
                );
            }
        }
    }

    #[test]
    fn a_picture_alone_has_the_colours_of_the_style_sheet() {
        for (class, colour) in variables(false) {
            let [r, g, b] = colour;
            let hex = format!("#{r:02x}{g:02x}{b:02x}");
            if class == "card" {
                assert_eq!(hex, CARD);
            }
            if let Some((_, look)) = INKS.iter().find(|(known, _)| *known == class) {
                assert!(look.contains(&hex), "{class}: {look} has not {hex}");
            } else {
                panic!("{class} is in the style sheet only");
            }
        }
    }
}
