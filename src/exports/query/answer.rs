//! Reads the answer to a query as any export is read, each row standing for many.

use std::collections::{BTreeMap, HashMap};

use csv::ByteRecord;

use super::{
    super::{
        Delivery, FileSummary, ImportError, ImportOptions, RowFault,
        charge_rows::Charges,
        net_cost,
        overlapping_deliveries::{self, DeliveryId},
        skip::{self, Skipped},
    },
    Query,
};
use crate::domain::{catalog::Catalog, period::Month};

/// The answer to a query, row by row.
pub struct Answer<'q> {
    query: &'q Query,
    catalog: &'q Catalog,
    options: &'q ImportOptions,
    /// By folder.
    known: HashMap<Box<[u8]>, DeliveryId>,
    parts: BTreeMap<DeliveryId, Part<'q>>,
    record: ByteRecord,
    groups: u64,
    rows: u64,
}

impl Query {
    /// Starts to read the answer.
    pub fn answer<'q>(&'q self, catalog: &'q Catalog, options: &'q ImportOptions) -> Answer<'q> {
        Answer {
            query: self,
            catalog,
            options,
            known: HashMap::new(),
            parts: BTreeMap::new(),
            record: ByteRecord::new(),
            groups: 0,
            rows: 0,
        }
    }
}

/// What one delivery of a month says.
struct Part<'q> {
    charges: Charges<'q>,
    skipped: Skipped,
    rows: u64,
}

impl Answer<'_> {
    /// Takes a row. A field without a value may be empty.
    pub fn row<'f>(&mut self, fields: impl Iterator<Item = &'f str>) -> Result<(), ImportError> {
        self.groups += 1;
        self.record.clear();
        for field in fields {
            self.record.push_field(field.as_bytes());
        }
        let bound = &self.query.bound;
        let rows = self.record.get(bound.width()).unwrap_or_default();
        let rows = std::str::from_utf8(rows).ok().and_then(|n| n.parse().ok());
        let folder = self.record.get(bound.width() + 1).unwrap_or_default();
        let id = if let Some(id) = self.known.get(folder) {
            id.clone()
        } else {
            let id = overlapping_deliveries::delivery_of(&String::from_utf8_lossy(folder));
            self.known.insert(folder.into(), id.clone());
            id
        };
        let (query, catalog, options) = (self.query, self.catalog, self.options);
        let part = self.parts.entry(id).or_insert_with(|| {
            let origin = format!("{} {}", query.bound.label(), query.name);
            Part {
                charges: Charges::new(&query.bound, &origin, catalog, options),
                skipped: Skipped::new(options.skip_bad_rows),
                rows: 0,
            }
        });
        self.record.truncate(bound.width());
        let (rows, done) = match rows {
            Some(rows) => (rows, part.charges.row(&self.record, rows)),
            None => (0, Err((None, RowFault::Missing))),
        };
        part.rows += rows;
        self.rows += rows;
        if let Err((field, fault)) = done {
            let error = ImportError::Row {
                file: self.query.name.clone(),
                line: self.groups,
                column: field.map(|field| bound.name(field).to_owned()),
                fault,
            };
            part.skipped.add(error, rows, skip::line(&self.record))?;
        }
        Ok(())
    }

    /// Counts the rows that the answer stands for so far.
    pub fn rows(&self) -> u64 {
        self.rows
    }

    /// Hands over what was read: of several deliveries of a month, which a table over all of them holds
    /// side by side, the newest.
    pub fn finish(self) -> Result<Delivery, ImportError> {
        let name = &self.query.name;
        let mut delivery = Delivery::default();
        let mut file = FileSummary {
            path: name.clone().into(),
            kind: self.query.kind,
            rows_read: 0,
            rows_kept: 0,
            rows_skipped: 0,
        };
        if !self.query.has_folders {
            delivery.notes.push(format!(
                "{name} is a view: whether it holds a month twice, in two deliveries, cannot be seen"
            ));
        }
        // Two exports of one payer tell of the same money.
        let mut roots: BTreeMap<(String, Month), String> = BTreeMap::new();
        let newest =
            overlapping_deliveries::keep_newest(self.parts, |part| part.rows, &mut delivery.notes);
        for (root, part) in newest? {
            file.rows_read += part.rows;
            file.rows_kept += part.charges.gather.kept();
            let (skipped, bad_rows) = part.skipped.note(name, &mut delivery.notes);
            file.rows_skipped += skipped;
            delivery.bad_rows.extend(bad_rows);
            for mut slice in part.charges.gather.finish(0, &mut delivery.notes) {
                let key = (slice.source.clone(), slice.month);
                if let Some(first) = roots.insert(key, root.clone()) {
                    return Err(ImportError::SameCharges {
                        first,
                        second: root,
                        month: slice.month,
                    });
                }
                slice.skipped = skipped;
                delivery.slices.push(slice);
            }
        }
        delivery.files.push(file);
        net_cost::settle(&mut delivery.slices, &mut delivery.notes);
        Ok(delivery)
    }
}
