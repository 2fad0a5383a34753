//! The catalogue as data: every file parses and obeys its own rules (the loader refuses overlaps,
//! gaps, closed last tiers, unknown units and unsourced prices).

use pipebill::{
    domain::{
        catalog::Lookup,
        ids::{Meter, Region},
        number::plain,
        tariff::Rate,
    },
    pricing,
};

#[test]
fn every_file_reads() {
    let catalog = pricing::embedded().unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(
        catalog
            .services
            .values()
            .filter(|s| s.kind == pipebill::domain::catalog::ServiceKind::Code)
            .count(),
        4
    );
    let day = "2026-10-15".parse().unwrap();
    let Lookup::Found(tariff) = catalog.lookup(
        &Meter::new("CodeBuild", "Build-Min:Linux:g1.small"),
        &Region::new("us-east-1"),
        day,
    ) else {
        panic!()
    };
    let Rate::PerUnit(price) = &tariff.rate else {
        panic!()
    };
    assert_eq!(plain(*price), "0.005");
}
