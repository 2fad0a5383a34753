//! The prices: looked at, and brought in.

use std::path::{Path, PathBuf};

use super::{App, AppError, DataSource, Field};
use crate::{
    domain::{
        catalog::Tariffs,
        ids::{Region, ServiceCode},
    },
    inputs::resolve,
    pricing::{
        change::{Asked, bring},
        price_list::{self, PriceList, PriceListError},
        store,
    },
    unknown_name::UnknownName,
};

/// Whose prices to look at.
#[derive(Clone, Debug, Default)]
pub struct PricesRequest {
    /// Of one service.
    pub service: Option<String>,
    /// In one region.
    pub region: Option<String>,
}

impl App {
    /// Returns the service and the region whose prices are asked for.
    pub fn prices(
        &self,
        request: &PricesRequest,
    ) -> Result<(Option<ServiceCode>, Option<Region>), AppError> {
        let service = request.service.as_ref();
        let service = service.map(|name| self.service(Field::Service, name));
        let region = request.region.as_ref().map(|name| self.region(name));
        Ok((service.transpose()?, region.transpose()?))
    }

    /// Returns the service of a name, and the usage type if it names a meter or a compute type.
    pub fn priced(&self, name: &str) -> Result<(ServiceCode, Option<String>), AppError> {
        let catalog = &self.catalog;
        let (service, usage_type) = match catalog.compute(name) {
            Some(compute) => {
                let meter = &compute.meter;
                (meter.service.clone(), meter.usage_type.to_string())
            }
            None => match resolve::split_meter(catalog, name) {
                (Some(service), usage_type) => {
                    let (_, meter) = catalog.locate(&service, usage_type, None);
                    (service, meter.usage_type.to_string())
                }
                (None, name) => return Ok((self.service(Field::Name, name)?, None)),
            },
        };
        if catalog.meter(&service, &usage_type).is_none() {
            let meters = catalog.services[&service].meters.iter();
            let known = meters.map(|info| info.meter.usage_type.as_str());
            let name = UnknownName::new("usage type", &usage_type, known);
            let field = Field::Name;
            return Err(AppError::UnknownName { field, name });
        }
        Ok((service, Some(usage_type)))
    }

    pub(super) fn service(&self, field: Field, name: &str) -> Result<ServiceCode, AppError> {
        resolve::service(&self.catalog, name).map_err(AppError::unknown(field))
    }

    pub(super) fn region(&self, name: &str) -> Result<Region, AppError> {
        resolve::region(&self.catalog, name).map_err(AppError::unknown(Field::Region))
    }

    /// Brings AWS price lists in. Returns each list, and what contradicts itself in them.
    pub fn import_prices(
        &self,
        files: &[PathBuf],
    ) -> Result<(Vec<PriceList>, Vec<String>), AppError> {
        let mut lists = Vec::new();
        for path in files {
            let file = path.display().to_string();
            let content =
                std::fs::read_to_string(path).map_err(|source| PriceListError::Unreadable {
                    file: file.clone(),
                    source,
                })?;
            lists.push(price_list::read(&file, &content, &self.catalog)?);
        }
        let brought = bring(&self.catalog, lists, &Asked::default(), self.today);
        self.keep_prices(&brought.kept)?;
        Ok((brought.lists, brought.contradictions))
    }

    /// Keeps price lists beside the ledger.
    pub(super) fn keep_prices(&self, prices: &Tariffs) -> Result<(), AppError> {
        if let DataSource::File(ledger) = &self.source {
            store::save(&price_store(ledger), prices)?;
        }
        Ok(())
    }
}

/// Imported prices are kept beside the ledger.
pub(super) fn price_store(ledger: &Path) -> PathBuf {
    ledger.with_file_name("price-lists.csv")
}
