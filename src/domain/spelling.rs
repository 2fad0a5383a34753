//! Usage types whose spelling in bills is not known: fleets, sandboxes and Docker servers of
//! `CodeBuild` are told apart by the words that any spelling must have.

use std::collections::BTreeSet;

/// What tells one machine from another, whatever the order of words.
#[derive(PartialEq, Eq)]
struct Machine {
    family: &'static str,
    system: &'static str,
    architecture: &'static str,
    size: BTreeSet<String>,
}

/// Finds the one of several that a usage type can mean, each told by its own usage type.
pub(super) fn find<'m, M>(
    known: &'m [M],
    usage_type_of: impl Fn(&'m M) -> &'m str,
    usage_type: &str,
) -> Option<&'m M> {
    let meant = machine(usage_type)?;
    let same = |one: &&'m M| machine(usage_type_of(one)).as_ref() == Some(&meant);
    let mut found = known.iter().filter(same);
    let first = found.next()?;
    found.next().is_none().then_some(first)
}

fn machine(usage_type: &str) -> Option<Machine> {
    let lower = usage_type.to_ascii_lowercase();
    let family = ["reserved", "sandbox", "docker"];
    let family = family.into_iter().find(|word| lower.contains(word))?;
    let has = |word: &str| lower.contains(word);
    if has("custom") {
        return Some(Machine {
            family,
            system: "any",
            architecture: "any",
            size: BTreeSet::from(["custom".to_owned()]),
        });
    }
    let system = match () {
        () if has("windows") => "windows",
        () if has("mac") => "mac",
        () => "linux",
    };
    let architecture = match () {
        () if has("gpu") => "gpu",
        // All of them are.
        () if has("arm") || system == "mac" => "arm",
        () => "x86",
    };
    let words = lower.split(|c: char| !c.is_ascii_alphanumeric());
    let is_number = |text: &str| !text.is_empty() && text.chars().all(|c| c.is_ascii_digit());
    let size = words.filter_map(|word| match word {
        "small" | "medium" | "large" | "xlarge" | "2xlarge" | "nvme" => Some(word.to_owned()),
        _ => {
            let unit = ["vcpu", "cpu", "gib", "gb"];
            let (number, unit) = unit
                .into_iter()
                .find_map(|unit| Some((word.strip_suffix(unit)?, unit)))?;
            let unit = if unit.ends_with("cpu") { "cpu" } else { "gib" };
            is_number(number).then(|| format!("{number}{unit}"))
        }
    });
    let size: BTreeSet<String> = size.collect();
    (!size.is_empty()).then_some(Machine {
        family,
        system,
        architecture,
        size,
    })
}
