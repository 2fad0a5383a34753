//! The values of billing exports: timestamps, tags, resource names, kinds of charges.

use std::{borrow::Cow, collections::BTreeMap, sync::Arc};

use chrono::{Datelike, Days, NaiveDate};
use rust_decimal::Decimal;
use serde_json::Value;

use super::RowFault;
use crate::domain::{
    number::parse_decimal,
    usage::{ChargeKind, Commitment},
};

/// Returns the text of a field; none where it is empty or a literal `NULL`.
pub(super) fn present(field: &[u8]) -> Option<&[u8]> {
    let field = field.trim_ascii();
    (!field.is_empty() && field != b"NULL").then_some(field)
}

/// Returns the UTC day of a timestamp: `2026-10-01`, or with a time after `T` or a space, with or
/// without fractions of a second, `Z` or an offset. AWS has no bill from before 2000.
pub(super) fn day(text: &str) -> Option<NaiveDate> {
    utc_day(text).filter(|day| (2000..2200).contains(&day.year()))
}

fn utc_day(text: &str) -> Option<NaiveDate> {
    let day = NaiveDate::from_ymd_opt(
        i32::try_from(digits(text.get(0..4)?)?).ok()?,
        digits(text.get(5..7)?)?,
        digits(text.get(8..10)?)?,
    )?;
    let bytes = text.as_bytes();
    if bytes[4] != b'-' || bytes[7] != b'-' {
        return None;
    }
    let Some(time) = text.get(10..).filter(|time| !time.is_empty()) else {
        return Some(day);
    };
    let time = time.strip_prefix(['T', ' '])?;
    let (clock, offset) = match time.find(['Z', '+', '-']) {
        Some(at) => time.split_at(at),
        None => (time.strip_suffix(" UTC").unwrap_or(time), ""),
    };
    let minute = clock_minutes(clock)?;
    let offset = match offset {
        "" | "Z" => 0,
        _ => {
            let minutes = clock_minutes(&offset[1..])?;
            if offset.starts_with('-') {
                -minutes
            } else {
                minutes
            }
        }
    };
    match minute - offset {
        ..0 => day.checked_sub_days(Days::new(1)),
        0..1440 => Some(day),
        _ => day.checked_add_days(Days::new(1)),
    }
}

fn clock_minutes(clock: &str) -> Option<i32> {
    let (hour, rest) = clock.split_at_checked(2)?;
    let rest = rest.strip_prefix(':').unwrap_or(rest);
    let (minute, seconds) = rest.split_at_checked(2)?;
    let (hour, minute) = (digits(hour)?, digits(minute)?);
    let seconds_are_digits = seconds
        .bytes()
        .all(|b| b.is_ascii_digit() || matches!(b, b':' | b'.'));
    if hour > 24 || minute > 59 || !seconds_are_digits {
        return None;
    }
    i32::try_from(hour * 60 + minute).ok()
}

fn digits(text: &str) -> Option<u32> {
    if text.bytes().all(|b| b.is_ascii_digit()) {
        text.parse().ok()
    } else {
        None
    }
}

/// Reads a number, and tells one that a spreadsheet wrote in the way of its country.
pub(super) fn number(text: &str) -> Result<Decimal, RowFault> {
    parse_decimal(text).map_err(|error| {
        let is_number = text
            .bytes()
            .all(|byte| byte.is_ascii_digit() || b"+-., ".contains(&byte));
        if is_number && text.contains(',') {
            RowFault::Comma(shown(text))
        } else {
            RowFault::Number(error)
        }
    })
}

/// Says what is wrong with a text that is no day: a spreadsheet writes dates in the way of its country.
pub(super) fn no_day(text: &str) -> RowFault {
    let mut digits = text.bytes().filter(u8::is_ascii_digit);
    let is_foreign = text.len() >= 6
        && digits.nth(2).is_some()
        && text
            .bytes()
            .all(|byte| byte.is_ascii_digit() || b"/.-: APMapm".contains(&byte))
        && text.contains(['/', '.']);
    if is_foreign {
        RowFault::DateForm(shown(text))
    } else {
        RowFault::Date(shown(text))
    }
}

/// Tells whether a text is an account ID.
pub(super) fn is_account(text: &str) -> bool {
    text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// Returns the project of a build's ARN, and any other resource as it stands: memory then follows
/// projects, not builds, and a month can be shared by project.
pub(super) fn resource(text: &str) -> Cow<'_, str> {
    if !text.starts_with("arn:") {
        return Cow::Borrowed(text);
    }
    for build in [":build/", ":build-batch/"] {
        if let Some((arn, rest)) = text.split_once(build) {
            let project = rest.split_once(':').map_or(rest, |(project, _)| project);
            return Cow::Owned(format!("{arn}:project/{project}"));
        }
    }
    Cow::Borrowed(text)
}

/// Returns the key of a tag as its owner wrote it: `team` for `user_team` and `user:team`.
pub(super) fn tag_key(key: &str) -> &str {
    key.strip_prefix("user_")
        .or_else(|| key.strip_prefix("user:"))
        .unwrap_or(key)
}

/// What the keys of a map of tags become.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Keys {
    /// Tags of one kind, told apart by what stands before the key.
    Of(&'static str),
    /// Tags of every kind, each key with its kind before it.
    OfAnyKind,
}

/// What AWS writes before a key to tell its kind, and what tells it here: a tag of a resource, which most
/// tags are, has its bare name.
const KINDS: [(&str, &str); 5] = [
    ("resourceTags/", ""),
    ("costCategory/", "cost_category/"),
    ("accountTag/", "account_tag/"),
    ("iamPrincipal/", "iam_principal/"),
    ("userAttribute/", "user_attribute/"),
];

impl Keys {
    fn key(self, key: &str) -> String {
        let (kind, key) = match self {
            Self::Of(prefix) => (prefix, key),
            Self::OfAnyKind => KINDS
                .iter()
                .find_map(|(written, kind)| Some((*kind, key.strip_prefix(written)?)))
                .unwrap_or(("", key)),
        };
        format!("{kind}{}", tag_key(key))
    }
}

/// Adds the tags of a map, a JSON object or as Athena writes it; none if it is neither. A key that is
/// there already keeps its value.
pub(super) fn add_tags(tags: &mut BTreeMap<String, String>, text: &str, keys: Keys) -> Option<()> {
    let mut add = |key: &str, value: String| {
        if !value.is_empty() {
            tags.entry(keys.key(key)).or_insert(value);
        }
    };
    let Ok(map) = serde_json::from_str::<BTreeMap<String, Value>>(text) else {
        let entries = athena_map(text)?;
        for (key, value) in entries {
            add(key, value);
        }
        return Some(());
    };
    for (key, value) in map {
        match value {
            Value::Null => {}
            Value::String(text) => add(&key, text),
            other => add(&key, other.to_string()),
        }
    }
    Some(())
}

/// Reads a map as Athena writes it in CSV: `{user_team=web, user_env=prod}`, with nothing around values
/// that have commas.
fn athena_map(text: &str) -> Option<Vec<(&str, String)>> {
    let inner = text.strip_prefix('{')?.strip_suffix('}')?;
    let mut entries: Vec<(&str, String)> = Vec::new();
    // Keys say of whom they are, all or none: what does not is the rest of a value.
    let family =
        |key: &str| key.starts_with("user_") || key.starts_with("aws_") || key.contains('/');
    for part in inner.split(", ").filter(|_| !inner.is_empty()) {
        let entry = part.split_once('=').filter(|(key, _)| {
            let first = entries.first();
            !key.is_empty() && first.is_none_or(|(first, _)| !family(first) || family(key))
        });
        match (entry, entries.last_mut()) {
            (Some((key, value)), _) => entries.push((key, value.to_owned())),
            (None, Some((_, value))) => {
                value.push_str(", ");
                value.push_str(part);
            }
            (None, None) => return None,
        }
    }
    // What is null is not there.
    entries.retain(|(_, value)| value != "null");
    Some(entries)
}

/// Returns the kind of a line of a Cost and Usage Report.
pub(super) fn line_type(name: &str, _: Option<&str>) -> ChargeKind {
    match name {
        "Usage" | "DiscountedUsage" | "SavingsPlanCoveredUsage" => ChargeKind::Usage,
        "EdpDiscount"
        | "PrivateRateDiscount"
        | "BundledDiscount"
        | "Discount"
        | "SppDiscount"
        | "RiVolumeDiscount"
        | "DistributorDiscount"
        // As the API of Cost Explorer spells them out.
        | "EnterpriseDiscountProgramDiscount"
        | "PrivateRateCardDiscount"
        | "SolutionProviderProgramDiscount" => ChargeKind::Discount,
        // Covered usage and its negation cancel out: only both together are what was paid.
        "SavingsPlanNegation" => ChargeKind::Negation,
        "Fee" | "RIFee" | "SavingsPlanRecurringFee" | "SavingsPlanUpfrontFee" => ChargeKind::Fee,
        "Tax" => ChargeKind::Tax,
        "Credit" => ChargeKind::Credit,
        "Refund" => ChargeKind::Refund,
        other => ChargeKind::Other(Arc::from(other)),
    }
}

/// Returns what pays for usage of a line type.
pub(super) fn covering(line_type: &str) -> Option<Commitment> {
    match line_type {
        "SavingsPlanCoveredUsage" | "Savings Plan Covered Usage" => Some(Commitment::SavingsPlan),
        "DiscountedUsage" | "Discounted Usage" => Some(Commitment::Reservation),
        _ => None,
    }
}

/// Returns the kind of a FOCUS charge.
///
/// A correction of an earlier month's usage or purchase is not new usage and must not be rated as
/// such; a corrected tax is still a tax, a corrected credit still a credit.
pub(super) fn charge_category(category: &str, class: Option<&str>) -> ChargeKind {
    match (category, class) {
        ("Tax", _) => ChargeKind::Tax,
        ("Credit", _) => ChargeKind::Credit,
        (_, Some("Correction")) => ChargeKind::Other(Arc::from("Correction")),
        ("Usage", _) => ChargeKind::Usage,
        ("Purchase", _) => ChargeKind::Fee,
        (other, _) => ChargeKind::Other(Arc::from(other)),
    }
}

/// Returns a number of rows in words.
pub(super) fn rows(count: u64) -> String {
    format!("{count} row{}", if count == 1 { "" } else { "s" })
}

/// Returns a value as an error may show it: short, and without control characters.
pub(super) fn shown(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(40).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_spelling_of_a_timestamp_names_its_utc_day() {
        for text in [
            "2026-10-31",
            "2026-10-31T23:00:00Z",
            "2026-10-31T23:00:00.000Z",
            "2026-10-31 23:00:00",
            "2026-10-31 23:00:00.000",
            "2026-10-31 23:00:00+00:00",
            "2026-10-31 23:00:00 UTC",
            "2026-11-01T01:30:00+02:00",
            "2026-10-30T22:00:00-0500",
        ] {
            assert_eq!(
                day(text).map(|d| d.to_string()).as_deref(),
                Some("2026-10-31"),
                "{text}"
            );
        }
        for text in [
            "",
            "2026-10",
            "2026-13-01",
            "2026/10/01",
            "2026-10-01x",
            "2026-10-01T",
            "2026-10-01T25:00:00Z",
            "31/10/2026",
            "2026-10-0é",
            "1970-01-01",
            "9999-12-31T23:59:59-23:00",
        ] {
            assert_eq!(day(text), None, "{text}");
        }
    }

    #[test]
    fn a_build_belongs_to_its_project() {
        for (text, expected) in [
            (
                "arn:aws:codebuild:eu-west-2:1:build/api:0f6e",
                "arn:aws:codebuild:eu-west-2:1:project/api",
            ),
            (
                "arn:aws:codebuild:eu-west-2:1:project/api",
                "arn:aws:codebuild:eu-west-2:1:project/api",
            ),
            ("x:build/api:1", "x:build/api:1"),
        ] {
            assert_eq!(resource(text), expected);
        }
    }

    #[test]
    fn tags_keep_the_names_their_owners_gave_them() {
        let mut tags = BTreeMap::new();
        let json = r#"{"user_team":"web","user:env":"prod","aws_created_by":"x","n":1,"no":null}"#;
        add_tags(&mut tags, json, Keys::Of("")).expect("an object");
        let category = Keys::Of("cost_category/");
        add_tags(&mut tags, r#"{"unit":"R&D"}"#, category).expect("an object");
        let expected = [
            ("aws_created_by", "x"),
            ("cost_category/unit", "R&D"),
            ("env", "prod"),
            ("n", "1"),
            ("team", "web"),
        ];
        let found: Vec<(&str, &str)> = tags.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect();
        assert_eq!(found, expected);
        assert!(add_tags(&mut tags, "[team]", Keys::Of("")).is_none());
    }

    #[test]
    fn kinds_of_tags_never_share_a_name() {
        let mut tags = BTreeMap::new();
        let json = r#"{"resourceTags/team":"web","accountTag/team":"a","costCategory/team":"c",
            "iamPrincipal/team":"i","userAttribute/team":"u","resourceTags/user:env":"prod"}"#;
        add_tags(&mut tags, json, Keys::OfAnyKind).expect("an object");
        let expected = [
            ("account_tag/team", "a"),
            ("cost_category/team", "c"),
            ("env", "prod"),
            ("iam_principal/team", "i"),
            ("team", "web"),
            ("user_attribute/team", "u"),
        ];
        let found: Vec<(&str, &str)> = tags.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn a_map_of_athena_keeps_commas_in_its_values() {
        for (text, expected) in [
            ("{}", vec![]),
            (
                "{user_team=web, user_env=prod}",
                vec![("user_team", "web"), ("user_env", "prod")],
            ),
            (
                "{user_note=a, b=c, d, user_env=null}",
                vec![("user_note", "a, b=c, d")],
            ),
            ("{unit=R&D, floor=}", vec![("unit", "R&D"), ("floor", "")]),
        ] {
            let found = athena_map(text).expect("a map");
            let found: Vec<(&str, &str)> = found.iter().map(|(k, v)| (*k, v.as_str())).collect();
            assert_eq!(found, expected, "{text}");
        }
        for text in ["{web}", "team=web", "{\"a\":1"] {
            assert_eq!(athena_map(text), None, "{text}");
        }
    }

    /// A plan's negation takes covered usage back: what is paid for it is the plan's fee.
    #[test]
    fn a_negation_is_no_discount() {
        let kind = |name| line_type(name, None);
        assert_eq!(kind("SavingsPlanCoveredUsage"), ChargeKind::Usage);
        assert_eq!(kind("SavingsPlanNegation"), ChargeKind::Negation);
        for name in ["EdpDiscount", "EnterpriseDiscountProgramDiscount"] {
            assert_eq!(kind(name), ChargeKind::Discount, "{name}");
        }
        assert_eq!(
            ChargeKind::from_name("savings plan negation"),
            ChargeKind::Negation
        );
    }

    #[test]
    fn an_unknown_line_type_keeps_its_name() {
        assert_eq!(
            line_type("SolarSurcharge", None),
            ChargeKind::Other(Arc::from("SolarSurcharge"))
        );
        assert_eq!(
            charge_category("Usage", Some("Correction")).name(),
            "Correction"
        );
        assert_eq!(charge_category("Usage", None), ChargeKind::Usage);
    }
}
