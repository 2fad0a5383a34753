//! The JSON Schemas of answers, as a program may be handed them. They are made from the types, and
//! a test keeps the files equal: `PIPEBILL_SCHEMAS=overwrite cargo test --lib schemas` writes them.

use include_dir::{Dir, include_dir};

static FILES: Dir<'static> = include_dir!("$CARGO_MANIFEST_DIR/reports/schemas");

/// Returns the JSON Schema of `pipebill.<name>/<version>`.
pub fn named(name: &str) -> Option<&'static str> {
    FILES
        .get_file(format!("{name}.schema.json"))?
        .contents_utf8()
}

/// Returns the names of all, in order.
pub fn names() -> impl Iterator<Item = &'static str> {
    let name = |file: &'static include_dir::File<'static>| {
        file.path()
            .file_name()?
            .to_str()?
            .strip_suffix(".schema.json")
    };
    FILES.files().filter_map(name)
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeMap, path::Path};

    use schemars::generate::SchemaSettings;
    use serde_json::{Value, json};

    use super::*;
    use crate::report::{self, value::Contract};

    fn schema<T: Contract>() -> (&'static str, Value) {
        let settings = SchemaSettings::draft2020_12().for_serialize();
        let generator = settings.into_generator();
        let mut schema = generator.into_root_schema_for::<T>().to_value();
        let name = json!({"description": "Which schema this is.", "const": T::SCHEMA});
        if let Some(properties) = schema["properties"].as_object_mut() {
            properties.shift_insert(0, "schema".to_owned(), name);
        }
        if let Some(required) = schema["required"].as_array_mut() {
            required.insert(0, json!("schema"));
        }
        check(&mut schema, "");
        (T::SCHEMA, schema)
    }

    /// What holds for every object: all keys, no other, each described.
    fn check(value: &mut Value, at: &str) {
        let Value::Object(object) = value else {
            if let Value::Array(items) = value {
                for item in items {
                    check(item, at);
                }
            }
            return;
        };
        // How wide Rust's integers are is nobody's business.
        for key in ["minimum", "format"] {
            if object.get("type") == Some(&json!("integer")) {
                object.remove(key);
            }
        }
        if let Some(properties) = object.get("properties").and_then(Value::as_object) {
            for (key, property) in properties {
                assert!(
                    property.get("description").is_some(),
                    "{at}/{key} is not described"
                );
            }
            let required = object["required"].as_array().map_or(0, Vec::len);
            assert_eq!(
                required,
                properties.len(),
                "{at}: every key is always there"
            );
            assert!(object.contains_key("additionalProperties"), "{at} is open");
        }
        for (key, value) in object.iter_mut() {
            check(value, &format!("{at}/{key}"));
        }
    }

    /// The schemas by what their `schema` says.
    fn all() -> BTreeMap<&'static str, Value> {
        let all = vec![
            schema::<report::allocation::AllocationAnswer>(),
            schema::<report::bill::BillAnswer>(),
            schema::<report::check::CheckAnswer>(),
            schema::<report::compare::CompareAnswer>(),
            schema::<report::forecast::ForecastAnswer>(),
            schema::<report::forecast_backtest::BacktestAnswer>(),
            schema::<report::imported::ImportAnswer>(),
            schema::<report::infra::InfraAnswer>(),
            schema::<report::manifest::Manifest>(),
            schema::<report::optimize::OptimizeAnswer>(),
            schema::<report::page::ChartAnswer>(),
            schema::<report::prices::AgeAnswer>(),
            schema::<report::prices::PriceAnswer>(),
            schema::<report::prices::PricesAnswer>(),
            schema::<report::prices::PricesImportedAnswer>(),
            schema::<report::prices::RegionsAnswer>(),
            schema::<report::reconcile::ReconciliationAnswer>(),
            schema::<report::usage::UsageAnswer>(),
            schema::<report::whatif::BreakEvenAnswer>(),
            schema::<report::whatif::SweepAnswer>(),
            schema::<report::whatif::TornadoAnswer>(),
            schema::<report::whatif::WhatIfAnswer>(),
            schema::<report::why::WhyAnswer>(),
            #[cfg(feature = "aws")]
            schema::<report::cloud::AthenaQueryAnswer>(),
            #[cfg(feature = "aws")]
            schema::<report::cloud::ImportPlanAnswer>(),
            #[cfg(feature = "aws")]
            schema::<report::collected::CollectionAnswer>(),
            #[cfg(feature = "aws")]
            schema::<report::collected::DoctorAnswer>(),
            #[cfg(feature = "aws")]
            schema::<report::prices::PricesUpdatedAnswer>(),
        ];
        all.into_iter().collect()
    }

    #[test]
    fn the_files_are_the_types() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("reports/schemas");
        let overwrite = std::env::var("PIPEBILL_SCHEMAS").is_ok_and(|how| how == "overwrite");
        let mut expected = Vec::new();
        for (id, schema) in all() {
            let name = id
                .strip_prefix("pipebill.")
                .and_then(|id| id.split('/').next());
            let file = format!("{}.schema.json", name.unwrap_or_default());
            let text = report::value::pretty(&schema);
            if overwrite {
                std::fs::write(folder.join(&file), &text).unwrap();
            }
            let read = std::fs::read_to_string(folder.join(&file)).unwrap_or_default();
            assert!(
                read == text,
                "{file} is not what the types say: PIPEBILL_SCHEMAS=overwrite"
            );
            expected.push(file);
        }
        let mut there: Vec<String> = std::fs::read_dir(&folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        // Without it, nobody makes these.
        #[cfg(not(feature = "aws"))]
        there.retain(|file| expected.contains(file));
        there.sort();
        expected.sort();
        assert_eq!(
            there, expected,
            "a file without a type, or a type without a file"
        );
        let kept = |name: &str| folder.join(format!("{name}.schema.json")).is_file();
        assert!(overwrite || names().all(kept));
        assert!(overwrite || named("bill").is_some());
    }
}
