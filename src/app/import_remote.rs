//! Billing exports that are not in files: a place in S3, a table of Athena.

use std::{
    cell::RefCell,
    sync::{Arc, atomic::AtomicBool},
};

use super::{App, AppError, Field, ImportRequest, Imported};
use crate::{
    aws::{Login, S3Url, TableRequest},
    domain::import::{Planned, Scan, TableAnnouncement},
    exports::Watch,
};

/// Where an export lies, and as whom to read it.
#[derive(Clone, Debug, Default)]
pub struct RemoteImportRequest {
    /// `s3://BUCKET/PREFIX` or `athena://DATABASE.TABLE`.
    pub from: String,
    /// Which month, and how to read it.
    pub import: ImportRequest,
    /// The region to ask in; else the configured one.
    pub region: Option<String>,
    /// The profile of AWS's configuration.
    pub profile: Option<String>,
    /// Pays for reading a bucket that charges its requesters.
    pub requester_pays: bool,
    /// The workgroup of Athena.
    pub workgroup: Option<String>,
    /// Where Athena writes its results.
    pub results: Option<String>,
    /// Only says what it would take.
    pub dry_run: bool,
}

/// What an import from AWS brought.
#[derive(Debug)]
pub enum RemoteImport {
    /// What was imported; and what the query scanned, if it was one.
    Imported(Box<Imported>, Option<Scan>),
    /// Which files would be read, and what should be known of them.
    Plan {
        /// The place.
        place: String,
        /// The files.
        files: Vec<Planned>,
        /// What should be known.
        notes: Vec<String>,
    },
    /// What would be asked.
    Query(String),
}

/// An export that is in no file.
enum RemoteSource {
    S3(S3Url),
    Table(String, String),
}

impl RemoteSource {
    fn parse(url: &str, requester_pays: bool) -> Result<Self, AppError> {
        let Some(names) = url.strip_prefix("athena://") else {
            return match S3Url::parse(url) {
                Some(place) => Ok(Self::S3(S3Url {
                    requester_pays,
                    ..place
                })),
                None => Err(AppError::field(
                    Field::Export,
                    "a place is written as s3://BUCKET/PREFIX",
                )),
            };
        };
        if requester_pays {
            return Err(AppError::field(Field::RequesterPays, "it goes with s3://…"));
        }
        let is_name = |name: &str| {
            let allowed = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
            (1..=255).contains(&name.len()) && name.chars().all(allowed)
        };
        match names.split_once('.') {
            Some((database, table)) if is_name(database) && is_name(table) => {
                Ok(Self::Table(database.to_owned(), table.to_owned()))
            }
            _ => Err(AppError::field(
                Field::Export,
                "a table is written as athena://DATABASE.TABLE, with letters, digits, `_` and `-`",
            )),
        }
    }
}

impl App {
    /// Imports an export that is not in a file. `announce` hears what a query will take; `stop` ends even
    /// a request that has no answer yet.
    pub fn import_remote(
        &self,
        request: &RemoteImportRequest,
        watch: &dyn Watch,
        stop: &Arc<AtomicBool>,
        announce: &dyn Fn(&TableAnnouncement),
    ) -> Result<RemoteImport, AppError> {
        let from = RemoteSource::parse(&request.from, request.requester_pays)?;
        let options = self.import_options(&request.import)?;
        let regions = request.region.iter().map(|name| self.region(name));
        let login = Login {
            profile: request.profile.clone(),
            regions: regions.collect::<Result<_, _>>()?,
            ..Login::default()
        };
        let (database, table) = match from {
            RemoteSource::S3(place) if request.dry_run => {
                let (files, notes) = self.plan_bucket(&login, &place, &options, stop)?;
                let place = place.to_string();
                return Ok(RemoteImport::Plan {
                    place,
                    files,
                    notes,
                });
            }
            RemoteSource::S3(place) => {
                let imported = self.import_bucket(&login, &place, &options, watch, stop)?;
                return Ok(RemoteImport::Imported(Box::new(imported), None));
            }
            RemoteSource::Table(database, table) => (database, table),
        };
        let month = request
            .import
            .month
            .ok_or_else(|| AppError::field(Field::Month, "say which month to ask Athena for"))?;
        let query = RefCell::new(String::new());
        let announce = |announcement: &TableAnnouncement| {
            announce(announcement);
            query.replace(announcement.sql.clone());
        };
        let table = TableRequest {
            login,
            database,
            table,
            month,
            workgroup: request.workgroup.clone(),
            output: request.results.clone(),
            today: self.today,
            dry_run: request.dry_run,
        };
        Ok(
            match self.import_table(&table, &options, watch, &announce)? {
                Some((imported, scan)) => RemoteImport::Imported(Box::new(imported), Some(scan)),
                None => RemoteImport::Query(query.take()),
            },
        )
    }
}
