//! A collection from beginning to end: who is asked, what it will take, then source by source. What
//! is out of reach becomes a gap with a name, and the others go on.

use std::{
    cell::{Cell, RefCell, RefMut},
    collections::{BTreeMap, BTreeSet},
    error::Error as StdError,
    rc::Rc,
    time::Instant,
};

use aws_smithy_runtime_api::client::{orchestrator::HttpResponse, result::SdkError};
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use chrono::{DateTime, Days, NaiveDate, Utc};
use rust_decimal::Decimal;

use super::{
    CollectError, Request, Watch, attempts::counted, error::Failure, limits::Bucket,
    operations::Operation, pages::Pages,
};
use crate::{
    domain::{
        catalog::{Catalog, Lookup},
        collection::{Call, Covered, NotCollected, Outcome, Scope, Source},
        ids::{Meter, Region},
        metering::from_events::AccountRegion,
        money::Money,
        services::COST_EXPLORER,
        tariff::Rate,
    },
    ledger::Ledger,
};

/// CloudTrail answers two lookups a second, to everyone in an account and region together.
const LOOKUPS_A_SECOND: u32 = 2;

/// Buckets by account, region and service.
type Buckets = BTreeMap<(AccountRegion, &'static str), Rc<Bucket>>;

/// A collection that is going on.
pub(super) struct Run<'r> {
    pub(super) request: &'r Request,
    pub(super) catalog: &'r Catalog,
    ledger: RefCell<&'r mut Ledger>,
    pub(super) watch: &'r dyn Watch,
    buckets: RefCell<Buckets>,
    /// Services that answered, whatever they said.
    reached: RefCell<BTreeSet<(AccountRegion, &'static str)>>,
    calls: RefCell<BTreeMap<Operation, u64>>,
    /// How many seconds our clock is ahead of AWS's.
    ahead: Cell<Option<i64>>,
    paid_calls: Cell<u64>,
    /// Of one paid call.
    pub(super) price: Decimal,
    /// Metrics that CloudWatch was asked for, and what they cost.
    metrics: Cell<(u64, Money)>,
    read: RefCell<BTreeMap<Scope, u64>>,
    missing: RefCell<Vec<NotCollected>>,
    regions_off: RefCell<BTreeSet<AccountRegion>>,
    has_faults: Cell<bool>,
}

/// Collects usage into the ledger.
pub fn collect(
    request: &Request,
    catalog: &Catalog,
    ledger: &mut Ledger,
    watch: &dyn Watch,
) -> Result<Outcome, CollectError> {
    let mut outcome = Outcome::default();
    Run::with(request, catalog, ledger, watch, async |run| {
        outcome.announcement = Box::pin(run.everything()).await?;
        outcome.read = run.read.borrow().clone().into_iter().collect();
        let calls = run.calls.borrow();
        let by_action = calls
            .iter()
            .map(|(called, count)| (called.action(), *count));
        outcome.calls = by_action.collect();
        drop(calls);
        outcome.cost = Money::of(Decimal::from(run.paid_calls.get()), run.price);
        (outcome.metrics, outcome.metrics_cost) = run.metrics.get();
        outcome.missing = run.take_missing();
        outcome.missing.sort();
        outcome.regions_off = run.regions_off.take().into_iter().collect();
        outcome.has_faults = run.has_faults.get();
        Ok(())
    })?;
    Ok(outcome)
}

/// Cost Explorer's requests have a price of their own.
pub(super) fn price_of_a_request(catalog: &Catalog, today: NaiveDate) -> Decimal {
    let listed = catalog.service(COST_EXPLORER).and_then(|service| {
        let meter = Meter::new(service.code.as_str(), "APIRequest");
        match catalog.lookup(&meter, &Region::new("us-east-1"), today) {
            Lookup::Found(tariff) => match tariff.rate {
                Rate::PerUnit(price) => Some(price),
                _ => None,
            },
            _ => None,
        }
    });
    listed.unwrap_or_else(|| Decimal::new(1, 2))
}

impl<'r> Run<'r> {
    /// Does something in a runtime of its own, which ends with it.
    pub(super) fn with<T>(
        request: &'r Request,
        catalog: &'r Catalog,
        ledger: &'r mut Ledger,
        watch: &'r dyn Watch,
        work: impl AsyncFnOnce(&Self) -> Result<T, CollectError>,
    ) -> Result<T, CollectError> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(CollectError::Runtime)?;
        let run = Self {
            request,
            catalog,
            ledger: RefCell::new(ledger),
            watch,
            buckets: RefCell::default(),
            reached: RefCell::default(),
            calls: RefCell::default(),
            ahead: Cell::new(None),
            paid_calls: Cell::new(0),
            price: price_of_a_request(catalog, request.now.date_naive()),
            metrics: Cell::default(),
            read: RefCell::default(),
            missing: RefCell::default(),
            regions_off: RefCell::default(),
            has_faults: Cell::new(false),
        };
        runtime.block_on(work(&run))
    }
}

impl Run<'_> {
    pub(super) fn ledger(&self) -> RefMut<'_, Ledger> {
        // It is never held over an await.
        RefMut::map(self.ledger.borrow_mut(), |ledger| &mut **ledger)
    }

    pub(super) fn catalog(&self) -> &Catalog {
        self.catalog
    }

    pub(super) fn now(&self) -> DateTime<Utc> {
        self.request.now
    }

    pub(super) fn today(&self) -> NaiveDate {
        self.request.now.date_naive()
    }

    pub(super) fn days(&self) -> (NaiveDate, NaiveDate) {
        (self.request.from, self.request.to)
    }

    pub(super) fn first_millisecond(&self) -> i64 {
        self.request
            .from
            .and_hms_opt(0, 0, 0)
            .expect("midnight exists")
            .and_utc()
            .timestamp_millis()
    }

    /// Returns the first day that AWS still has builds and runs of: both are kept for a year.
    pub(super) fn oldest_kept(&self) -> NaiveDate {
        self.request.from.max(self.today() - Days::new(365))
    }

    /// Sends a request when it is its turn, and says what an error means.
    pub(super) fn ask<T, E>(
        &self,
        place: &AccountRegion,
        operation: Operation,
        send: impl Future<Output = Result<T, SdkError<E, HttpResponse>>>,
    ) -> impl Future<Output = Result<T, Failure>>
    where
        E: ProvideErrorMetadata + StdError + Send + Sync + 'static,
    {
        self.send(place, operation, 1, send)
    }

    /// Asks for a page of a listing.
    pub(super) fn ask_page<T, E>(
        &self,
        place: &AccountRegion,
        operation: Operation,
        pages: &Pages,
        send: impl Future<Output = Result<T, SdkError<E, HttpResponse>>>,
    ) -> impl Future<Output = Result<T, Failure>>
    where
        E: ProvideErrorMetadata + StdError + Send + Sync + 'static,
    {
        self.send(place, operation, pages.number(), send)
    }

    fn send<T, E>(
        &self,
        place: &AccountRegion,
        operation: Operation,
        page: usize,
        send: impl Future<Output = Result<T, SdkError<E, HttpResponse>>>,
    ) -> impl Future<Output = Result<T, Failure>>
    where
        E: ProvideErrorMetadata + StdError + Send + Sync + 'static,
    {
        // The SDK's futures are large, and would be moved along with every one around them.
        let send = Box::pin(send);
        async move {
            if self.watch.stopped() {
                return Err(CollectError::Stopped.into());
            }
            self.bucket(place, operation).take().await;
            self.count(operation);
            let begun = Instant::now();
            let (answer, attempts) = counted(send).await;
            let answer = answer.map_err(|error| Failure::of(operation, &error));
            let ahead = attempts.last().and_then(|attempt| attempt.ahead);
            self.ahead.set(ahead.or(self.ahead.get()));
            self.watch.called(&Call {
                action: operation.action(),
                place,
                page,
                attempts: &attempts,
                took: begun.elapsed(),
                failed: answer.as_ref().err().map(ToString::to_string),
            });
            let service = (place.clone(), operation.service());
            match answer {
                // A service need not exist in every region: the others go on. One that has answered
                // before is gone with the network.
                Err(Failure::Fatal(CollectError::Unreachable(why)))
                    if operation != Operation::GetCallerIdentity
                        && !self.reached.borrow().contains(&service) =>
                {
                    Err(Failure::Unreached { operation, why })
                }
                answer => {
                    self.reached.borrow_mut().insert(service);
                    answer
                }
            }
        }
    }

    /// Returns how many seconds our clock is ahead of AWS's, as far as answers say.
    pub(super) fn seconds_ahead(&self) -> Option<i64> {
        self.ahead.get()
    }

    /// Counts a call.
    pub(super) fn count(&self, operation: Operation) {
        *self.calls.borrow_mut().entry(operation).or_default() += 1;
    }

    fn bucket(&self, place: &AccountRegion, operation: Operation) -> Rc<Bucket> {
        let rate = match operation {
            Operation::LookupEvents => self.request.rate.min(LOOKUPS_A_SECOND),
            _ => self.request.rate,
        };
        let mut buckets = self.buckets.borrow_mut();
        buckets
            .entry((place.clone(), operation.service()))
            .or_insert_with(|| Rc::new(Bucket::new(rate, rate)))
            .clone()
    }

    /// Takes the price of a request out of what may be spent.
    pub(super) fn spend(&self) -> Result<(), Failure> {
        let calls = self.paid_calls.get() + 1;
        let (_, metrics) = self.metrics.get();
        self.afford(Money::of(Decimal::from(calls), self.price) + metrics)?;
        self.paid_calls.set(calls);
        Ok(())
    }

    /// Takes the price of metrics out of what may be spent.
    pub(super) fn spend_on_metrics(&self, count: u64, price: Decimal) -> Result<(), Failure> {
        let (metrics, cost) = self.metrics.get();
        let cost = cost + Money::of(Decimal::from(count), price);
        let calls = Decimal::from(self.paid_calls.get());
        self.afford(Money::of(calls, self.price) + cost)?;
        self.metrics.set((metrics + count, cost));
        Ok(())
    }

    fn afford(&self, cost: Money) -> Result<(), Failure> {
        match self.request.max_api_cost {
            Some(most) if cost.amount() > most => Err(Failure::TooDear),
            _ => Ok(()),
        }
    }

    /// Counts what was read.
    pub(super) fn read(&self, scope: &Scope, things: usize) {
        let mut read = self.read.borrow_mut();
        let count = read.entry(scope.clone()).or_default();
        *count += things as u64;
        let calls = self.calls.borrow().values().sum();
        self.watch.progress(scope, *count, calls);
    }

    /// Begins to collect a source: what was missing of it may no longer be.
    pub(super) fn begin(&self, place: &AccountRegion, source: Source) -> Result<Scope, Failure> {
        let scope = Scope {
            place: place.clone(),
            source,
        };
        self.ledger().begin_source(&scope)?;
        self.read.borrow_mut().entry(scope.clone()).or_default();
        Ok(scope)
    }

    /// Notes how a part of a source went. Returns whether it is whole; what concerns all parts
    /// ends the source.
    pub(super) fn part(
        &self,
        scope: &Scope,
        part: &str,
        done: Result<(), Failure>,
    ) -> Result<bool, Failure> {
        match done {
            // What is gone was deleted after it was listed.
            Ok(()) | Err(Failure::Gone(_)) => Ok(true),
            Err(failure) if failure.is_fault() => {
                self.miss(scope, part, &failure)?;
                Ok(false)
            }
            Err(other) => Err(other),
        }
    }

    /// Ends a source. Only a whole one speaks for its days.
    pub(super) fn end(
        &self,
        scope: &Scope,
        is_whole: bool,
        first: NaiveDate,
    ) -> Result<(), Failure> {
        if is_whole {
            self.ledger().cover(&Covered {
                scope: scope.clone(),
                first,
                // Today goes on.
                last: self.today().pred_opt().unwrap_or(first),
            })?;
        }
        Ok(())
    }

    pub(super) fn miss(
        &self,
        scope: &Scope,
        part: &str,
        failure: &Failure,
    ) -> Result<(), CollectError> {
        // Not every service is in every region, so silence there is no fault.
        let is_silent = matches!(failure, Failure::Unreached { .. });
        if failure.is_fault() || (is_silent && !self.request.login.all_regions) {
            self.has_faults.set(true);
        }
        let missing = NotCollected {
            scope: scope.clone(),
            part: part.to_owned(),
            reason: failure.to_string(),
            remedy: failure.remedy(),
        };
        self.ledger().keep_missing(&missing)?;
        self.missing.borrow_mut().push(missing);
        Ok(())
    }

    /// Notes how a whole source went; only what concerns every source goes further.
    pub(super) fn settle(
        &self,
        place: &AccountRegion,
        source: Source,
        done: Result<(), Failure>,
    ) -> Result<(), CollectError> {
        let scope = Scope {
            place: place.clone(),
            source,
        };
        self.watch.ended(&scope);
        let failure = match done {
            Ok(()) => return Ok(()),
            Err(Failure::Fatal(error)) => return Err(error),
            Err(failure) => failure,
        };
        if matches!(failure, Failure::RegionOff) && self.request.login.all_regions {
            self.regions_off.borrow_mut().insert(place.clone());
            return Ok(());
        }
        self.ledger().begin_source(&scope)?;
        self.miss(&scope, "", &failure)
    }

    /// Hands over what could not be collected.
    pub(super) fn take_missing(&self) -> Vec<NotCollected> {
        self.missing.take()
    }
}
