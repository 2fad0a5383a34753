//! Changed trees: a JSON or TOML document with nodes that are odd, missing, doubled or of another type.

use arbitrary::Unstructured;
use serde_json::{Map, Value};

use super::{CHANGES, word};

/// What keys and values of these documents are.
const KEYS: [&str; 88] = [
    "ResultsByTime",
    "GroupDefinitions",
    "Type",
    "Key",
    "Keys",
    "Metrics",
    "UnblendedCost",
    "UsageQuantity",
    "BlendedCost",
    "Amount",
    "Unit",
    "TimePeriod",
    "Start",
    "End",
    "Total",
    "Groups",
    "Estimated",
    "NextPageToken",
    "DIMENSION",
    "TAG",
    "COST_CATEGORY",
    "SERVICE",
    "USAGE_TYPE",
    "LINKED_ACCOUNT",
    "REGION",
    "RECORD_TYPE",
    "RESOURCE_ID",
    "team$payments",
    "team$",
    "CodeBuild",
    "EUW2-Build-Min:Linux:g1.small",
    "NoRegion",
    "N/A",
    "USD",
    "products",
    "terms",
    "OnDemand",
    "priceDimensions",
    "pricePerUnit",
    "beginRange",
    "endRange",
    "effectiveDate",
    "publicationDate",
    "attributes",
    "Inf",
    "month",
    "codecommit",
    "codepipeline",
    "codebuild",
    "codedeploy",
    "usage",
    "pipeline",
    "stage",
    "failed_runs",
    "free_tier",
    "price",
    "compute",
    "builds",
    "seconds",
    "minutes",
    "runs",
    "developers",
    "pushes_per_day",
    "created",
    "scope",
    "used",
    "actions",
    "rule",
    "gl_account",
    "cost_center",
    "suspense",
    "tag",
    "kind",
    "dates",
    "DD/MM/YYYY",
    "file",
    "format",
    "csv",
    "journal",
    "html",
    "chart",
    "content",
    "by",
    "accrue",
    "expected",
    "reportKeys",
    "billingPeriod",
    "assemblyId",
];

/// Returns one of the documents with some changes, or several after each other.
pub(super) fn json(u: &mut Unstructured<'_>, documents: &[Value]) -> arbitrary::Result<Vec<u8>> {
    let mut text = String::new();
    for _ in 0..u.int_in_range(1..=2)? {
        let mut tree = u.choose(documents)?.clone();
        changes(u, &mut tree)?;
        text += &match u.int_in_range(0..=3)? {
            0 => serde_json::to_string_pretty(&tree).unwrap_or_default(),
            1 => format!("[{tree}]"),
            _ => tree.to_string(),
        };
        text.push('\n');
    }
    if u.int_in_range(0..=7)? == 7 {
        let end = u.int_in_range(0..=text.len())?;
        text.truncate(text.floor_char_boundary(end));
        text += &word(u, &KEYS)?;
    }
    Ok(text.into_bytes())
}

/// Takes the first document of a text apart.
pub(super) fn parsed(text: &str) -> Value {
    let mut documents = serde_json::Deserializer::from_str(text).into_iter::<Value>();
    documents.next().and_then(Result::ok).unwrap_or_default()
}

/// Takes a document apart.
pub(super) fn parsed_toml(text: &str) -> Value {
    let table: toml::Table = text.parse().unwrap_or_default();
    serde_json::to_value(&table).unwrap_or_default()
}

/// Returns one of the documents with some changes.
pub(super) fn toml(u: &mut Unstructured<'_>, documents: &[Value]) -> arbitrary::Result<Vec<u8>> {
    let mut tree = u.choose(documents)?.clone();
    changes(u, &mut tree)?;
    without_nulls(&mut tree);
    Ok(toml::to_string(&tree).unwrap_or_default().into_bytes())
}

fn changes(u: &mut Unstructured<'_>, tree: &mut Value) -> arbitrary::Result<()> {
    for _ in 0..u.int_in_range(0..=16)? {
        let count = size(tree);
        let at = u.int_in_range(0..=count - 1)?;
        if let Some(node) = node(tree, &mut { at }) {
            change(u, node)?;
        }
        if size(tree) > 4000 {
            break;
        }
    }
    Ok(())
}

fn size(tree: &Value) -> usize {
    1 + match tree {
        Value::Array(items) => items.iter().map(size).sum::<usize>(),
        Value::Object(entries) => entries.values().map(size).sum(),
        _ => 0,
    }
}

/// Returns the n-th node, in the order in which they are written.
fn node<'t>(tree: &'t mut Value, at: &mut usize) -> Option<&'t mut Value> {
    if *at == 0 {
        return Some(tree);
    }
    *at -= 1;
    match tree {
        Value::Array(items) => items.iter_mut().find_map(|item| node(item, at)),
        Value::Object(entries) => entries.values_mut().find_map(|value| node(value, at)),
        _ => None,
    }
}

fn own(u: &mut Unstructured<'_>) -> arbitrary::Result<String> {
    if u.arbitrary()? {
        word(u, &KEYS)
    } else {
        word(u, &CHANGES)
    }
}

fn leaf(u: &mut Unstructured<'_>) -> arbitrary::Result<Value> {
    Ok(match u.int_in_range(0..=9)? {
        0 => Value::Null,
        1 => u.arbitrary::<bool>()?.into(),
        2 => u.arbitrary::<i64>()?.into(),
        3 => u.int_in_range(-100..=100_i64)?.into(),
        4 => u.arbitrary::<f64>()?.into(),
        5 => Value::Array(Vec::new()),
        6 => Value::Object(Map::new()),
        _ => own(u)?.into(),
    })
}

fn change(u: &mut Unstructured<'_>, node: &mut Value) -> arbitrary::Result<()> {
    let what = u.int_in_range(0..=11)?;
    match node {
        Value::Object(entries) if what < 9 => {
            let keys: Vec<String> = entries.keys().cloned().collect();
            let key = if keys.is_empty() {
                own(u)?
            } else {
                u.choose(&keys)?.clone()
            };
            match what {
                0 | 1 => drop(entries.shift_remove(&key)),
                2..=4 => {
                    let name = own(u)?;
                    let value = entries.shift_remove(&key).unwrap_or_default();
                    entries.insert(name, value);
                }
                5 | 6 => {
                    let name = own(u)?;
                    entries.insert(name, leaf(u)?);
                }
                7 => {
                    let name = own(u)?;
                    let value = entries.get(&key).cloned().unwrap_or_default();
                    entries.insert(name, value);
                }
                _ => {
                    entries.insert(key, leaf(u)?);
                }
            }
        }
        Value::Array(items) if what < 9 => {
            let at = u.int_in_range(0..=items.len().max(1) - 1)?;
            match what {
                0 | 1 if !items.is_empty() => drop(items.remove(at)),
                2..=4 if !items.is_empty() => {
                    let copy = items[at].clone();
                    for _ in 0..u.int_in_range(1..=8)? {
                        items.insert(at, copy.clone());
                    }
                }
                5 => items.reverse(),
                _ => items.push(leaf(u)?),
            }
        }
        _ if what == 9 => {
            // Deep, for who reads by recursion.
            for _ in 0..u.int_in_range(1..=200)? {
                *node = Value::Array(vec![std::mem::take(node)]);
            }
        }
        _ => *node = leaf(u)?,
    }
    Ok(())
}

/// TOML has none.
fn without_nulls(tree: &mut Value) {
    match tree {
        Value::Array(items) => {
            items.retain(|item| !item.is_null());
            items.iter_mut().for_each(without_nulls);
        }
        Value::Object(entries) => {
            entries.retain(|_, value| !value.is_null());
            entries.values_mut().for_each(without_nulls);
        }
        _ => {}
    }
}
