//! Puts prices of AWS's list files into the tables of `pricing/`, and prints what changed:
//!
//!     cargo run --example prices -- codebuild.json AmazonS3-eu-west-2.csv
//!
//! Files behind the pricing pages and bulk files alike. What a list no longer has becomes `not-offered`.
//! Run the tests after it, and read the difference.
#![allow(
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a tool for whoever keeps the prices"
)]

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

use pipebill::{
    domain::{ids::Region, tariff::Tariff},
    pricing::{
        self,
        change::{Asked, bring},
        price_list::{self, PriceList},
        rows::{COLUMNS, rate_text},
    },
};

type Row = BTreeMap<&'static str, String>;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("pricing");
    let catalog = pricing::embedded()?;
    let mut lists: Vec<PriceList> = Vec::new();
    for file in std::env::args().skip(1) {
        let list = price_list::read(&file, &fs::read_to_string(&file)?, &catalog)?;
        println!("{file}: {} prices of {} rows", list.prices.len(), list.rows);
        lists.push(list);
    }
    let forms: BTreeMap<_, _> = lists.iter().map(|l| (l.published, l.is_page)).collect();
    let today = lists.iter().filter_map(|list| list.published).max();
    let today = today.ok_or("name list files of AWS")?;
    let regions: BTreeSet<&Region> = catalog.regions.keys().collect();
    let asked: Asked<'_> = catalog
        .services
        .keys()
        .map(|code| (code, regions.clone()))
        .collect();
    let brought = bring(&catalog, lists, &asked, today);
    for change in &brought.changes {
        let before = change.before.as_ref().map_or("new".to_owned(), rate_text);
        println!(
            "{} in {}: {before} -> {} since {}",
            change.meter,
            change.region,
            rate_text(&change.after),
            change.since
        );
    }
    for note in &brought.notes {
        println!("{note:?}");
    }
    for note in &brought.contradictions {
        println!("{note}");
    }
    println!(
        "{} changed, {} as before",
        brought.changes.len(),
        brought.unchanged
    );
    for folder in folders(&root)? {
        let name = folder.file_name().unwrap().to_string_lossy();
        let Some(service) = catalog.service(&name) else {
            continue;
        };
        let new: Vec<&Tariff> = brought
            .kept
            .iter()
            .filter(|((meter, _), _)| meter.service == service.code)
            .flat_map(|(_, tariffs)| tariffs.iter().map(AsRef::as_ref))
            .collect();
        if new.is_empty() {
            continue;
        }
        let mut rows = read(&folder.join("prices.csv"))?;
        let mut sources = BTreeMap::new();
        for tariff in new {
            let published = tariff.source.date.unwrap_or(today);
            let form = match forms.get(&Some(published)) {
                Some(true) => "page",
                _ => "bulk",
            };
            let key = format!("{form}-{published}");
            sources.insert(key.clone(), (tariff.source.title.to_string(), published));
            put(&mut rows, tariff, &key);
        }
        write(&folder.join("prices.csv"), rows)?;
        describe(&folder.join("service.toml"), &sources)?;
    }
    Ok(())
}

fn folders(root: &Path) -> std::io::Result<Vec<PathBuf>> {
    let all = fs::read_dir(root)?.map(|entry| entry.map(|entry| entry.path()));
    let mut all: Vec<PathBuf> = all.collect::<Result<_, _>>()?;
    all.retain(|path| path.is_dir());
    all.sort();
    Ok(all)
}

fn read(path: &Path) -> Result<Vec<Row>, csv::Error> {
    let mut reader = csv::Reader::from_path(path)?;
    let row = |record: Result<csv::StringRecord, _>| {
        let record = record?;
        let cells = COLUMNS.into_iter().zip(&record);
        Ok(cells.map(|(name, cell)| (name, cell.to_owned())).collect())
    };
    reader.records().map(row).collect()
}

/// Puts a price into the rows: the same price gets a newer source, another one ends the last.
fn put(rows: &mut Vec<Row>, tariff: &Tariff, key: &str) {
    let (usage_type, region) = (tariff.meter.usage_type.as_str(), tariff.region.as_str());
    let region = if region == "global" { "any" } else { region };
    let price = rate_text(&tariff.rate);
    let sku = tariff.source.sku.as_deref().unwrap_or_default();
    let last = rows.iter_mut().find(|row| {
        row["usage_type"] == usage_type && row["region"] == region && row["until"].is_empty()
    });
    match last {
        Some(last) if last["price"] == price => {
            if last["source"] != key {
                let older = format!("{} {}", last["source"], last["also"]);
                last.insert("also", older.trim().to_owned());
                last.insert("source", key.to_owned());
            }
            if !sku.is_empty() {
                last.insert("sku", sku.to_owned());
            }
            return;
        }
        Some(last) => {
            last.insert("until", tariff.validity.from.to_string());
        }
        None => {}
    }
    let cells = [
        usage_type.to_owned(),
        region.to_owned(),
        price,
        tariff.validity.from.to_string(),
        String::new(),
        sku.to_owned(),
        key.to_owned(),
        String::new(),
        "high".to_owned(),
        String::new(),
    ];
    rows.push(COLUMNS.into_iter().zip(cells).collect());
}

fn write(path: &Path, mut rows: Vec<Row>) -> Result<(), csv::Error> {
    rows.sort_by_key(|row| ["usage_type", "region", "from"].map(|name| row[name].clone()));
    let mut writer = csv::Writer::from_path(path)?;
    writer.write_record(COLUMNS)?;
    for row in rows {
        writer.write_record(COLUMNS.map(|name| &row[name]))?;
    }
    Ok(writer.flush()?)
}

/// Describes new sources at the end of `service.toml`.
fn describe(
    path: &Path,
    sources: &BTreeMap<String, (String, chrono::NaiveDate)>,
) -> std::io::Result<()> {
    let mut text = fs::read_to_string(path)?;
    for (key, (title, date)) in sources {
        if !text.contains(&format!("[source.{key}]")) {
            let title = serde_json::to_string(title).expect("a title is text");
            text += &format!("\n[source.{key}]\ntitle = {title}\ndate = \"{date}\"\n");
        }
    }
    fs::write(path, text)
}
