//! Reads the CSV exports that have one charge a row, by their table of columns.

mod fields;

pub(super) use self::fields::Record;
use self::fields::{Fields, GROUP_COLUMNS, OUTSIDE_COLUMNS, STORAGE_COLUMNS, when};
use std::collections::HashMap;

use chrono::Datelike;
use csv::ByteRecord;
use foldhash::fast::RandomState;
use rust_decimal::Decimal;

use super::{
    ImportError, ImportOptions, RowFault,
    aggregate::{Aggregator, BucketId, Fault, Part, Sum},
    deliveries,
    group::{Amounts, Row},
    layout::{Bound, Column},
    open::{Guarded, Stream},
    rows::{Line, Rows, unquoted},
    skip::{self, Skipped},
    values::{self, present},
};
use crate::domain::{
    catalog::Catalog,
    export::FileRead,
    ids::ServiceCode,
    number::{parse_decimal, short_decimal},
    period::Month,
    storage::{self, StorageKind},
    usage::{ChargeKind, Tags},
};

/// Adds a field to a key, with its length so that no two rows run together.
fn push(key: &mut Vec<u8>, field: &[u8]) {
    let length = u32::try_from(field.len()).unwrap_or(u32::MAX);
    key.extend_from_slice(&length.to_le_bytes());
    key.extend_from_slice(field);
}

/// Reads every row after the header.
pub(super) fn read(
    stream: &mut Stream<'_>,
    text: &mut Rows<Guarded<'_>>,
    bound: &Bound,
    catalog: &Catalog,
    options: &ImportOptions,
) -> Result<FileRead, ImportError> {
    let origin = format!("{} {}", bound.label(), stream.short_name());
    let mut charges = Charges::new(bound, &origin, catalog, options);
    charges.delivered = deliveries::month_of_file(stream.name());
    charges.is_text = true;
    let mut skipped = Skipped::new(options.skip_bad_rows);
    let mut whole = ByteRecord::new();
    text.look_ahead(charges.looks_ahead());
    let mut rows = 0;
    while let Some(line) = stream.row(text)? {
        rows += 1;
        stream.tick(rows)?;
        if let Err((field, fault)) = charges.line(&line, &mut whole) {
            line.copy_to(&mut whole);
            let error = ImportError::Row {
                file: stream.name().to_owned(),
                line: stream.line(),
                column: field.map(|field| bound.name(field).to_owned()),
                fault,
            };
            skipped.add(error, 1, skip::line(&whole))?;
        }
    }
    let mut notes = Vec::new();
    charges.note_the_month(&mut notes);
    let (skipped, bad_rows) = skipped.note(stream.name(), &mut notes);
    let kept = charges.gather.kept();
    let number = super::choose::part_number(bound.layout.kind, stream.short_name());
    Ok(FileRead {
        name: stream.name().to_owned(),
        kind: bound.layout.kind,
        grouping: String::new(),
        slices: charges.gather.finish(number, &mut notes),
        jobs: Vec::new(),
        rows,
        kept,
        skipped,
        bad_rows,
        notes,
    })
}

/// What is known of a service by its product code.
#[derive(Clone)]
enum Known {
    /// Its rows are kept.
    Kept(ServiceCode),
    /// They are summed, but for storage of builds and pipelines, which is told apart as well.
    Stores(ServiceCode, StorageKind),
    /// They are summed.
    Outside,
}

/// By texts as they stand in the rows.
type Texts<T> = HashMap<Box<[u8]>, T, RandomState>;

/// Where a row is summed, and what of its service is told apart beside that.
type Summed = (Sum, Option<StorageKind>);

/// What the rows of one file add up to.
pub(super) struct Charges<'c> {
    bound: &'c Bound,
    pub(super) gather: Aggregator<'c>,
    /// By payer and period as the rows write them.
    buckets: Texts<(BucketId, Month)>,
    /// By product code as the rows write it.
    services: Texts<Known>,
    /// Per field: it tells something.
    needed: Vec<bool>,
    /// The fields that tell where a row is summed whose service is not kept.
    summed_by: Vec<usize>,
    /// Where rows are summed, by these fields as they stand in the text.
    sums: Texts<Summed>,
    /// By usage type as the rows write it: it may be about storage.
    measures: Texts<bool>,
    /// By the tag columns as the rows write them.
    tags: Texts<Tags>,
    key: Vec<u8>,
    bucket_key: Vec<u8>,
    /// The month that the file is delivered for, where its folder tells.
    pub(super) delivered: Option<Month>,
    /// It is text, which whoever opened it may have saved with other account IDs.
    pub(super) is_text: bool,
}

impl<'c> Charges<'c> {
    pub(super) fn new(
        bound: &'c Bound,
        origin: &str,
        catalog: &'c Catalog,
        options: &'c ImportOptions,
    ) -> Self {
        let mut gather = Aggregator::new(bound.layout.kind, origin, catalog, options);
        gather.names_resources = !bound.fields(Column::Resource).is_empty();
        gather.names_invoices = !bound.fields(Column::Invoice).is_empty();
        Self {
            bound,
            gather,
            buckets: HashMap::default(),
            services: HashMap::default(),
            needed: bound.needed(),
            summed_by: [when(bound), Column::Payer]
                .iter()
                .chain(&OUTSIDE_COLUMNS)
                .flat_map(|&column| bound.fields(column))
                .copied()
                .collect(),
            sums: HashMap::default(),
            measures: HashMap::default(),
            tags: HashMap::default(),
            key: Vec::new(),
            bucket_key: Vec::new(),
            delivered: None,
            is_text: false,
        }
    }

    /// Says which month rows are counted in that state none.
    pub(super) fn note_the_month(&self, notes: &mut Vec<String>) {
        let is_stated = !self.bound.fields(Column::Period).is_empty() || self.delivered.is_some();
        if self.bound.kind().is_bill() && !is_stated {
            let origin = self.gather.origin();
            notes.push(format!(
                "{origin}: no billing period is stated, rows are counted in the month of their usage"
            ));
        }
    }

    /// Tells where the cost of a row is summed if its service is not kept, and what its service may
    /// store of ours; none if it is kept.
    pub(super) fn outside_of(
        &mut self,
        record: &impl Record,
    ) -> Result<Option<(BucketId, Option<StorageKind>)>, Fault> {
        let fields = Fields {
            bound: self.bound,
            record,
        };
        let (bucket, _) = self.bucket(&fields)?;
        for column in OUTSIDE_COLUMNS {
            fields.text(column)?;
        }
        fields.kind()?;
        fields.currency()?;
        Ok(match self.service(&fields)? {
            Known::Kept(_) => None,
            Known::Stores(_, left) => Some((bucket, Some(left))),
            Known::Outside => Some((bucket, None)),
        })
    }

    /// Adds the cost of rows that are alike, of a service that is not kept.
    pub(super) fn add_outside(
        &mut self,
        bucket: BucketId,
        record: &impl Record,
        cost: Decimal,
        rows: u64,
    ) -> Result<(), Fault> {
        let bound = self.bound;
        self.outside(bucket, &Fields { bound, record }, cost, rows)?;
        Ok(())
    }

    /// Says how many fields of most rows are looked at.
    fn looks_ahead(&self) -> usize {
        let columns = [Column::Cost, Column::UsageType, Column::Resource];
        let fields = columns.iter().flat_map(|&column| self.bound.fields(column));
        fields
            .chain(&self.summed_by)
            .max()
            .map_or(0, |last| last + 1)
    }

    /// Adds a row of text. Most are of services that are only summed, and are looked at no further
    /// than it takes to see that such a row was there before.
    fn line(&mut self, line: &Line<'_>, whole: &mut ByteRecord) -> Result<(), Fault> {
        self.has_width(line.len())?;
        let cost = self.plain_cost(line);
        if let Some(cost) = cost {
            self.key.clear();
            line.push_to(&mut self.key, &self.summed_by);
            if let Some(&(sum, left)) = self.sums.get(self.key.as_slice())
                && left.is_none_or(|left| !self.is_storage(line, left))
            {
                self.gather.add(sum, cost, 1);
                return Ok(());
            }
        }
        // A row that does not tell its bill is of the month of its usage, which is not in the key.
        let mut bill = self.bound.fields(when(self.bound)).iter();
        let tells_bill =
            bill.any(|&field| line.raw(field).map(unquoted).and_then(present).is_some());
        let key = cost
            .filter(|_| tells_bill)
            .map(|_| self.key.as_slice().into());
        line.copy_some_to(whole, |field| self.needed[field]);
        if let (Some(sum), Some(key)) = (self.row(whole, 1)?, key) {
            self.sums.insert(key, sum);
        }
        Ok(())
    }

    /// Tells whether a row may be storage that is told apart.
    fn is_storage(&mut self, line: &Line<'_>, left: StorageKind) -> bool {
        let bound = self.bound;
        let of = |column| {
            bound
                .fields(column)
                .iter()
                .filter_map(|&field| line.raw(field))
        };
        let is_measure = of(Column::UsageType).any(|usage_type| {
            if let Some(&known) = self.measures.get(usage_type) {
                return known;
            }
            let is_measure = storage::is_measure(unquoted(usage_type));
            self.measures.insert(usage_type.into(), is_measure);
            is_measure
        });
        is_measure && of(Column::Resource).any(|resource| left.has(unquoted(resource)))
    }

    /// Refuses a row with more or fewer fields than the header: which of them is which, nobody knows.
    fn has_width(&self, found: usize) -> Result<(), Fault> {
        let expected = self.bound.width();
        if found == expected {
            return Ok(());
        }
        Err((None, RowFault::FieldCount { expected, found }))
    }

    /// Returns the cost of a plain row.
    fn plain_cost(&self, line: &Line<'_>) -> Option<Decimal> {
        if matches!(line, Line::Odd(_)) {
            return None;
        }
        let mut fields = self.bound.fields(Column::Cost).iter();
        let text = fields.find_map(|&field| present(unquoted(line.raw(field)?)))?;
        short_decimal(text).or_else(|| parse_decimal(std::str::from_utf8(text).ok()?).ok())
    }

    /// Adds a row, which stands for so many rows of the export. Returns where it is summed if its
    /// service is not kept.
    pub(super) fn row(&mut self, record: &impl Record, rows: u64) -> Result<Option<Summed>, Fault> {
        self.has_width(record.len())?;
        let bound = self.bound;
        let fields = Fields { bound, record };
        let cost = fields.number(Column::Cost)?;
        let cost = cost.ok_or_else(|| fields.missing(Column::Cost))?;
        let (bucket, month) = self.bucket(&fields)?;
        let service = match self.service(&fields)? {
            Known::Kept(service) => service,
            Known::Stores(service, left) => {
                let sum = self.storage(bucket, month, (&service, left), &fields, (cost, rows))?;
                return Ok(Some((sum, Some(left))));
            }
            Known::Outside => {
                return Ok(Some((self.outside(bucket, &fields, cost, rows)?, None)));
            }
        };
        let quantity = fields.number(Column::Quantity)?;
        let net = fields.number(Column::Net)?.unwrap_or(cost);
        let day = fields.day(Column::Day)?;
        let resource = fields.text(Column::Resource)?.map(values::resource);

        self.key.clear();
        push(&mut self.key, &day.num_days_from_ce().to_le_bytes());
        push(&mut self.key, &[u8::from(quantity.is_some())]);
        push(
            &mut self.key,
            resource.as_deref().unwrap_or_default().as_bytes(),
        );
        for column in GROUP_COLUMNS {
            push(&mut self.key, fields.raw(column).unwrap_or_default());
        }
        push(&mut self.key, fields.unit().unwrap_or_default());
        let is_text = self.is_text;
        // Such a row is of no day, but of the month.
        let last_day = if bound.kind().is_bill() && !bound.kind().is_by_day() {
            month.last_day()
        } else {
            day
        };
        let before_tags = self.key.len();
        for &(field, _) in &bound.tags {
            push(&mut self.key, record.get(field).unwrap_or_default());
        }

        self.gather.keep(
            (bucket, Part::Kept),
            &self.key,
            Amounts::of(quantity, cost, rows).net(net),
            || {
                let (rate, list_rate) = fields.rates()?;
                let written = &self.key[before_tags..];
                let tags = if let Some(known) = self.tags.get(written) {
                    known.clone()
                } else {
                    let tags = Tags::new(fields.tags()?);
                    self.tags.insert(written.into(), tags.clone());
                    tags
                };
                Ok(Row {
                    month,
                    day,
                    last_day,
                    payer: fields.text(Column::Payer)?,
                    account: fields.account(Column::Account, is_text)?,
                    service: &service,
                    usage_type: fields.text(Column::UsageType)?.unwrap_or_default(),
                    region: fields.text(Column::Region)?,
                    kind: fields.kind()?,
                    resource: resource.as_deref(),
                    tags,
                    unit: fields
                        .unit()
                        .map(|unit| fields.utf8(Column::Unit, unit))
                        .transpose()?,
                    rate,
                    list_rate,
                    invoice: fields.text(Column::Invoice)?,
                    covered_by: fields.covered_by()?,
                    currency: fields.currency()?,
                    origin: fields.text(Column::Origin)?,
                })
            },
        )?;
        Ok(None)
    }

    /// Finds where the row's payer and billing month are summed.
    fn bucket(&mut self, fields: &Fields<'_, impl Record>) -> Result<(BucketId, Month), Fault> {
        // Not every bill has the billing period; the month of its folder and that of usage are the next
        // best.
        let period = match fields.raw(Column::Period) {
            Some(_) => Column::Period,
            None => Column::Day,
        };
        self.bucket_key.clear();
        push(
            &mut self.bucket_key,
            fields.raw(Column::Payer).unwrap_or_default(),
        );
        push(&mut self.bucket_key, fields.raw(period).unwrap_or_default());
        if let Some(&known) = self.buckets.get(self.bucket_key.as_slice()) {
            return Ok(known);
        }
        let is_bill = self.bound.kind().is_bill();
        let (day, month) = match self.delivered {
            Some(month) if period == Column::Day && is_bill => (month.first_day(), month),
            _ => {
                let day = fields.day(period)?;
                (day, Month::of(day))
            }
        };
        let payer = fields.account(Column::Payer, self.is_text)?;
        let bucket = self.gather.bucket(payer, month, (day, day));
        self.buckets
            .insert(self.bucket_key.as_slice().into(), (bucket, month));
        Ok((bucket, month))
    }

    fn service(&mut self, fields: &Fields<'_, impl Record>) -> Result<Known, Fault> {
        let raw = fields.raw(Column::Service).unwrap_or_default();
        if let Some(known) = self.services.get(raw) {
            return Ok(known.clone());
        }
        let name = fields.text(Column::Service)?.unwrap_or_default();
        let known = match (self.gather.service(name), self.gather.stores(name)) {
            (Some(service), _) => Known::Kept(service),
            (None, Some((service, left))) => Known::Stores(service, left),
            (None, None) => Known::Outside,
        };
        self.services.insert(raw.into(), known.clone());
        Ok(known)
    }

    /// Sums a row of a service that is not kept, and tells storage of builds and pipelines apart.
    fn storage(
        &mut self,
        bucket: BucketId,
        month: Month,
        (service, left): (&ServiceCode, StorageKind),
        fields: &Fields<'_, impl Record>,
        (cost, rows): (Decimal, u64),
    ) -> Result<Sum, Fault> {
        let raw = |column| fields.raw(column).unwrap_or_default();
        if !storage::is_measure(raw(Column::UsageType)) || !left.has(raw(Column::Resource)) {
            return self.outside(bucket, fields, cost, rows);
        }
        let is_usage = fields.kind()? == ChargeKind::Usage;
        let Some(quantity) = fields.number(Column::Quantity)?.filter(|_| is_usage) else {
            return self.outside(bucket, fields, cost, rows);
        };
        // All that can be at fault is read before anything is added.
        let row = Row {
            month,
            day: month.first_day(),
            last_day: month.first_day(),
            payer: fields.text(Column::Payer)?,
            account: fields.text(Column::Account)?,
            service,
            usage_type: fields.text(Column::UsageType)?.unwrap_or_default(),
            region: fields.text(Column::Region)?,
            kind: ChargeKind::Usage,
            resource: fields.text(Column::Resource)?,
            tags: Tags::default(),
            unit: fields
                .unit()
                .map(|unit| fields.utf8(Column::Unit, unit))
                .transpose()?,
            rate: fields.rates()?.0,
            list_rate: None,
            invoice: None,
            covered_by: None,
            currency: fields.currency()?,
            origin: None,
        };
        let sum = self.outside(bucket, fields, cost, rows)?;
        self.key.clear();
        for column in STORAGE_COLUMNS {
            push(&mut self.key, fields.raw(column).unwrap_or_default());
        }
        push(&mut self.key, fields.unit().unwrap_or_default());
        let amounts = Amounts::of(Some(quantity), cost, rows);
        self.gather
            .keep((bucket, Part::Storage), &self.key, amounts, || Ok(row))?;
        Ok(sum)
    }

    fn outside(
        &mut self,
        bucket: BucketId,
        fields: &Fields<'_, impl Record>,
        cost: Decimal,
        rows: u64,
    ) -> Result<Sum, Fault> {
        self.key.clear();
        for column in OUTSIDE_COLUMNS {
            push(&mut self.key, fields.raw(column).unwrap_or_default());
        }
        self.gather.outside(bucket, &self.key, (cost, rows), || {
            Ok((
                fields.text(Column::Service)?.unwrap_or_default().to_owned(),
                fields.kind()?,
                fields.currency()?.into(),
            ))
        })
    }
}
