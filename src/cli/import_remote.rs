//! What `pipebill import` brings in from AWS itself.

use std::path::Path;

use super::{CommandError, import_progress::ImportProgress, output::Output};
use crate::{
    app::{App, ImportRequest, Imported, RemoteImport, RemoteImportRequest},
    aws::S3Url,
    domain::import::TableAnnouncement,
    report,
};

/// Credentials, region and mode.
#[derive(Debug, clap::Args)]
pub(super) struct CloudArgs {
    /// Athena workgroup [default: primary].
    #[arg(long, value_name = "NAME")]
    workgroup: Option<String>,
    /// Show Athena's query and its cost, or the S3 files to read, and stop.
    #[arg(long)]
    pub(super) dry_run: bool,
    /// Accept requester-pays charges: S3 bills requests and data transfer to these credentials'
    /// account.
    #[arg(long)]
    pub(super) requester_pays: bool,
    /// Region [default: the configured region].
    #[arg(long, value_name = "REGION")]
    region: Option<String>,
    /// AWS configuration profile.
    #[arg(long, value_name = "NAME")]
    profile: Option<String>,
}

impl CloudArgs {
    /// Returns what to import from a place.
    pub(super) fn request(
        &self,
        from: &str,
        import: ImportRequest,
        results: Option<&Path>,
    ) -> RemoteImportRequest {
        RemoteImportRequest {
            from: from.to_owned(),
            import,
            region: self.region.clone(),
            profile: self.profile.clone(),
            requester_pays: self.requester_pays,
            workgroup: self.workgroup.clone(),
            results: results.and_then(Path::to_str).map(str::to_owned),
            dry_run: self.dry_run,
        }
    }
}

/// Imports; nothing if it is only to be shown what it would take.
pub(super) fn run(
    request: &RemoteImportRequest,
    app: &App,
    watch: &ImportProgress,
    output: &Output,
) -> Result<Option<Imported>, CommandError> {
    if let Some(place) = S3Url::parse(&request.from).filter(|_| request.requester_pays) {
        output.say(&report::cloud::requester_pays(&place.bucket));
    }
    let announce = |announcement: &TableAnnouncement| {
        output.say(&report::cloud::announcement(announcement));
    };
    let answer = app.import_remote(request, watch, &watch.stop, &announce);
    watch.bar.borrow().finish_and_clear();
    match answer? {
        RemoteImport::Imported(imported, scan) => {
            if let Some(scan) = scan {
                output.say(&report::cloud::scanned(&scan));
            }
            return Ok(Some(*imported));
        }
        RemoteImport::Plan {
            place,
            files,
            notes,
        } => output.show(&report::cloud::plan(&place, &files, &notes))?,
        RemoteImport::Query(sql) => output.show(&report::cloud::query(sql))?,
    }
    Ok(None)
}
