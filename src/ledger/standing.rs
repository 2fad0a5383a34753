//! How final a source calls its figures, kept as JSON beside each slice.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::{SqlResult, decode, exact};
use crate::domain::{
    export::{Larger, Standing},
    ids::Currency,
    money::Money,
};

/// Writes a standing: only what it says, so that one that says nothing is `{}`.
pub(super) fn write(standing: &Standing) -> String {
    let amounts = |cost: &BTreeMap<Currency, Money>| -> Map<String, Value> {
        let amount = |(currency, cost): (&Currency, &Money)| {
            let cost = crate::domain::number::plain(cost.amount());
            (currency.to_string(), Value::String(cost))
        };
        cost.iter().map(amount).collect()
    };
    let mut said = Map::new();
    if standing.estimated {
        said.insert("estimated".to_owned(), json!(true));
    }
    if let Some(invoiced) = standing.invoiced {
        said.insert("invoiced".to_owned(), json!(invoiced));
    }
    if standing.is_cut {
        said.insert("is_cut".to_owned(), json!(true));
    }
    if standing.services_unknown {
        said.insert("services_unknown".to_owned(), json!(true));
    }
    if let Some(day) = standing.read_while_open {
        said.insert("read_while_open".to_owned(), json!(day.to_string()));
    }
    if let Some(larger) = &standing.larger_before {
        let larger = json!({
            "days": larger.days,
            "cost": amounts(&larger.cost),
            "days_now": larger.days_now,
            "cost_now": amounts(&larger.cost_now),
        });
        said.insert("larger_before".to_owned(), larger);
    }
    Value::Object(said).to_string()
}

/// Reads [`write`] back; slices from before it was kept say nothing.
pub(super) fn read(text: Option<String>) -> SqlResult<Standing> {
    match text {
        None => Ok(Standing::default()),
        Some(text) => decode(&text, |text| standing(&serde_json::from_str(text).ok()?)),
    }
}

fn standing(said: &Value) -> Option<Standing> {
    let is = |key: &str| said[key].as_bool();
    let days = |value: &Value| u32::try_from(value.as_u64()?).ok();
    let amounts = |value: &Value| -> Option<BTreeMap<Currency, Money>> {
        let amount = |(currency, cost): (&String, &Value)| {
            Some((Currency::new(currency), Money::new(exact(cost.as_str()?)?)))
        };
        value.as_object()?.iter().map(amount).collect()
    };
    Some(Standing {
        estimated: is("estimated").unwrap_or_default(),
        invoiced: is("invoiced"),
        is_cut: is("is_cut").unwrap_or_default(),
        services_unknown: is("services_unknown").unwrap_or_default(),
        read_while_open: match said["read_while_open"].as_str() {
            Some(day) => Some(day.parse().ok()?),
            None => None,
        },
        larger_before: match &said["larger_before"] {
            Value::Null => None,
            larger => Some(Larger {
                days: days(&larger["days"])?,
                cost: amounts(&larger["cost"])?,
                days_now: days(&larger["days_now"])?,
                cost_now: amounts(&larger["cost_now"])?,
            }),
        },
    })
}
