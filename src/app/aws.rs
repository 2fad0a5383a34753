//! Asking AWS: exports in S3 and Athena, price lists above the embedded prices.

use std::{
    collections::BTreeSet,
    sync::{Arc, atomic::AtomicBool},
};

use super::{App, AppError, DataSource, Field, Imported};
use crate::{
    aws::{self, price_lists::Fetched},
    domain::{
        export::FileRead,
        ids::{Region, ServiceCode},
        import::{Delivery, Planned, Scan, TableAnnouncement},
    },
    exports::{self, CheckpointStore, ImportError, ImportOptions, Watch},
    ledger::ImportCheckpoint,
    pricing::{
        change::{Asked, UpdateRemark, UpdatedPrices, bring},
        price_list::{self, OTHER_CURRENCY, PriceListError},
    },
};

/// Which price lists to fetch.
#[derive(Clone, Debug, Default)]
pub struct UpdatePricesRequest {
    /// Of these services; else of all.
    pub services: Vec<String>,
    /// In these regions; else in all but China's.
    pub regions: Vec<String>,
    /// From where.
    pub from: PricesFrom,
}

/// Where price lists are from.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum PricesFrom {
    /// The files behind the pricing pages, at AWS or at another address.
    Page(Option<String>),
    /// The bulk files, at AWS or at another address.
    Bulk(Option<String>),
    /// The Query API, asked with a profile of AWS's configuration.
    Query(Option<String>),
}

impl Default for PricesFrom {
    fn default() -> Self {
        Self::Page(None)
    }
}

/// Returns who a profile is, for what no region matters to.
pub(super) fn anywhere(profile: Option<&str>) -> aws::Login {
    aws::Login {
        profile: profile.map(str::to_owned),
        all_regions: true,
        ..aws::Login::default()
    }
}

impl CheckpointStore for ImportCheckpoint {
    fn get(&self, mark: &str) -> Option<Vec<FileRead>> {
        self.get(mark)
    }

    fn keep(&self, mark: &str, texts: &[FileRead]) {
        self.keep(mark, texts);
    }
}

impl App {
    /// Imports what a place in S3 brings that the ledger does not hold. `stop` ends even a request
    /// that has no answer yet.
    pub(super) fn import_bucket(
        &self,
        login: &aws::Login,
        place: &aws::S3Url,
        options: &ImportOptions,
        watch: &dyn Watch,
        stop: &Arc<AtomicBool>,
    ) -> Result<Imported, AppError> {
        let bucket = aws::Bucket::open(login, place, stop)?;
        let known = self.known()?;
        // Reading a local file again costs next to nothing; fetching it does.
        let unfinished = match &self.source {
            DataSource::File(path) => Some(ImportCheckpoint::new(path, &place.to_string())),
            DataSource::Sample => None,
        };
        let finished = unfinished
            .as_ref()
            .map(|found| found as &dyn CheckpointStore);
        let read = self.read_store(&bucket, known.as_ref(), finished, options, watch);
        let delivery = read.map_err(|error| match bucket.failure() {
            _ if watch.cancelled() => ImportError::Cancelled.into(),
            Some(refused) => refused.into(),
            None => error,
        })?;
        drop(known);
        let imported = self.keep(delivery)?;
        if let Some(unfinished) = unfinished {
            unfinished.clear();
        }
        Ok(imported)
    }

    /// Returns what [`Self::import_bucket`] would read of a place in S3, and what should be known of it.
    pub(super) fn plan_bucket(
        &self,
        login: &aws::Login,
        place: &aws::S3Url,
        options: &ImportOptions,
        stop: &Arc<AtomicBool>,
    ) -> Result<(Vec<Planned>, Vec<String>), AppError> {
        let bucket = aws::Bucket::open(login, place, stop)?;
        let known = self.known()?;
        let is_known = |mark: &str| {
            let holds = known.as_ref().map(|ledger| ledger.holds_delivery(mark));
            holds.is_some_and(Result::unwrap_or_default)
        };
        let plan = exports::plan_store(&bucket, &is_known, options);
        plan.map_err(|error| bucket.failure().map_or(error.into(), Into::into))
    }

    /// Imports a month of a table through Athena. `announce` hears what it will take; a dry run ends
    /// there. Returns what it scanned, too.
    pub(super) fn import_table(
        &self,
        request: &aws::TableRequest,
        options: &ImportOptions,
        watch: &dyn Watch,
        announce: &dyn Fn(&TableAnnouncement),
    ) -> Result<Option<(Imported, Scan)>, AppError> {
        let read = aws::read_table(request, &self.catalog, options, watch, announce)?;
        let Some(aws::TableRead { delivery, scanned }) = read else {
            return Ok(None);
        };
        let delivery = Delivery {
            may_be_smaller: options.allow_smaller,
            ..delivery
        };
        Ok(Some((self.keep(delivery)?, scanned)))
    }

    /// Fetches AWS's price lists and brings them in: all of them or, on any error, none. Returns the
    /// lists, what changed, and what should be known about both.
    pub fn update_prices(
        &self,
        request: &UpdatePricesRequest,
        watch: &dyn aws::Watch,
    ) -> Result<UpdatedPrices, AppError> {
        let catalog = &self.catalog;
        let named = request.services.iter();
        let named = named.map(|name| self.service(Field::Service, name));
        let mut services = named.collect::<Result<Vec<_>, _>>()?;
        if services.is_empty() {
            let all = catalog.services.values();
            let all = all.filter(|service| service.list.is_some());
            services = all.map(|service| service.code.clone()).collect();
        }
        let named = request.regions.iter().map(|name| self.region(name));
        let mut regions = named.collect::<Result<Vec<_>, _>>()?;
        if regions.is_empty() {
            let all = catalog.regions.values();
            let all = all.filter(|region| region.partition != "aws-cn");
            regions = all.map(|region| region.id.clone()).collect();
        }
        let (services, regions) = (&services[..], &regions[..]);
        let (fetched, absent) = match &request.from {
            PricesFrom::Page(url) => self.fetch_pages(services, regions, url.as_deref())?,
            PricesFrom::Bulk(url) => self.fetch_lists(services, regions, url.as_deref())?,
            PricesFrom::Query(profile) => {
                let request = self.usual_request(anywhere(profile.as_deref()));
                aws::price_query::query(&request, services, regions, catalog, watch)?
            }
        };
        let mut notes = Vec::new();
        if !absent.is_empty() {
            notes.push(UpdateRemark::Unpublished { lists: absent });
        }
        let mut lists = Vec::new();
        for file in fetched {
            match price_list::read(&file.url, &file.content, &self.catalog) {
                Ok(list) if list.left_out.contains_key(OTHER_CURRENCY) => {
                    return Err(PriceListError::OtherCurrency { file: file.url }.into());
                }
                Ok(list) => lists.push(list),
                Err(PriceListError::NothingKnown { file, rows }) => {
                    notes.push(UpdateRemark::NothingKnown { file, rows });
                }
                Err(error) => return Err(error.into()),
            }
        }
        let all: BTreeSet<&Region> = regions.iter().collect();
        let asked: Asked<'_> = services.iter().map(|code| (code, all.clone())).collect();
        let mut updated = bring(&self.catalog, lists, &asked, self.today);
        updated.notes.splice(0..0, notes);
        if !updated.lists.is_empty() {
            self.keep_prices(&updated.kept)?;
        }
        Ok(updated)
    }

    /// Fetches the files behind AWS's pricing pages: one a service, and another for China.
    fn fetch_pages(
        &self,
        services: &[ServiceCode],
        regions: &[Region],
        base_url: Option<&str>,
    ) -> Result<(Vec<Fetched>, Vec<String>), AppError> {
        let china = |region: &Region| {
            let info = self.catalog.regions.get(region);
            info.is_some_and(|info| info.partition == "aws-cn")
        };
        let mut partitions: Vec<(&str, &str)> = Vec::new();
        if regions.iter().any(|region| !china(region)) {
            partitions.push((aws::price_lists::PAGES, "USD"));
        }
        if regions.iter().any(china) {
            partitions.push((aws::price_lists::PAGES_OF_CHINA, "CNY"));
        }
        let (mut urls, mut absent) = (Vec::new(), Vec::new());
        for code in services {
            let Some(service) = self.catalog.services.get(code) else {
                continue;
            };
            let Some(list) = &service.list else {
                absent.push(service.name.clone());
                continue;
            };
            let (folder, file) = list
                .page
                .split_once('/')
                .unwrap_or((&list.page, &list.page));
            for (base, currency) in &partitions {
                let base = base_url.unwrap_or(base).trim_end_matches('/');
                urls.push(format!(
                    "{base}/meteredUnitMaps/{folder}/{currency}/current/{file}.json"
                ));
            }
        }
        Ok((aws::price_lists::fetch_files(&urls)?, absent))
    }

    fn fetch_lists(
        &self,
        services: &[ServiceCode],
        regions: &[Region],
        base_url: Option<&str>,
    ) -> Result<(Vec<Fetched>, Vec<String>), AppError> {
        let of_region = |region: &Region| {
            let partition = self.catalog.regions.get(region);
            let base = base_url.unwrap_or_else(|| {
                aws::price_lists::base_url(partition.map_or("aws", |info| &info.partition))
            });
            (region.clone(), base.to_owned())
        };
        let wanted: Vec<_> = services
            .iter()
            .map(|service| (service.clone(), regions.iter().map(of_region).collect()))
            .collect();
        Ok(aws::price_lists::fetch(&wanted)?)
    }
}
