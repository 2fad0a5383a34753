//! Athena: the grouping of an import, done where the export lies. Only the groups come back.

use std::{path::Path, time::Duration};

use aws_sdk_athena::{
    Client,
    types::{
        Column, QueryExecutionContext, QueryExecutionState, ResultConfiguration, Row, WorkGroup,
        WorkGroupState,
    },
};
use chrono::NaiveDate;
use thiserror::Error;
use tokio::time::sleep;

use super::{
    CollectError, Login,
    denial::{DeniedBy, named, shortened},
    error::Failure,
    operations::Operation,
    pages::Pages,
    session::{self, Unanswered, ask},
};
use crate::{
    domain::{
        catalog::{Catalog, Lookup},
        ids::{Meter, Region},
        import::{Delivery, Scan, TableAnnouncement},
        metering::athena::billed_scan,
        money::Money,
        period::Month,
        services::ATHENA,
        tariff::Rate,
    },
    exports::{
        ImportError, ImportOptions, Watch,
        query::{Query, Table, TableColumn},
    },
};

/// Where Athena looks tables up unless told otherwise.
const CATALOG: &str = "AwsDataCatalog";
/// The workgroup that every account has.
const WORKGROUP: &str = "primary";
/// The most that Athena hands over at once.
const PAGE: i32 = 1000;
/// How long to wait between two looks at a query: longer each time.
const FIRST_WAIT: Duration = Duration::from_millis(150);
const LONGEST_WAIT: Duration = Duration::from_secs(5);
/// How soon Ctrl-C is heard.
const HEARING: Duration = Duration::from_millis(100);

/// What to ask Athena for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TableRequest {
    /// As whom, and where.
    pub login: Login,
    /// The database.
    pub database: String,
    /// The table in it.
    pub table: String,
    /// The billing month.
    pub month: Month,
    /// The workgroup, if not the primary one.
    pub workgroup: Option<String>,
    /// Where Athena writes its results, if the workgroup does not say.
    pub output: Option<String>,
    /// The day that counts as today.
    pub today: NaiveDate,
    /// Only show the query.
    pub dry_run: bool,
}

/// What Athena answered.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TableRead {
    /// What to put into the ledger.
    pub delivery: Delivery,
    /// What it took.
    pub scanned: Scan,
}

/// Why Athena has no answer. The ledger is untouched.
#[derive(Debug, Error)]
pub enum AthenaError {
    /// Credentials, network or the user.
    #[error(transparent)]
    Collect(#[from] CollectError),
    /// The answer or the table is no export that can be read.
    #[error(transparent)]
    Import(#[from] ImportError),
    /// The credentials may not do this.
    #[error("access denied to {what}{}", named(by.as_ref()))]
    Denied {
        /// What.
        what: String,
        /// What denies it, where allowing it would not help.
        by: Option<DeniedBy>,
    },
    /// There is no such table.
    #[error("Athena finds no table {table}")]
    NoTable {
        /// Which.
        table: String,
    },
    /// There is no such workgroup.
    #[error("there is no Athena workgroup `{0}`")]
    NoWorkgroup(String),
    /// The workgroup is switched off.
    #[error("the Athena workgroup `{0}` is disabled")]
    WorkgroupDisabled(String),
    /// Nobody said where results go.
    #[error("the Athena workgroup `{0}` does not say where results are written")]
    NoOutput(String),
    /// The query ran, and failed.
    #[error("the query failed: {0}")]
    QueryFailed(String),
    /// Somebody else stopped the query.
    #[error("the query was cancelled{0}")]
    QueryCancelled(String),
    /// The table has nothing of the month.
    #[error("{table} has no rows of {month}")]
    NoRows {
        /// Which.
        table: String,
        /// The month.
        month: Month,
    },
    /// The answer is not one to this query.
    #[error("Athena returned unexpected columns")]
    OtherColumns,
    /// Retried in vain, or not worth it.
    #[error("{0}")]
    Failed(String),
}

/// Asks Athena for the groups of a month. `announce` hears what it will take, before anything that
/// costs; a dry run ends there.
pub fn read_table(
    request: &TableRequest,
    catalog: &Catalog,
    options: &ImportOptions,
    watch: &dyn Watch,
    announce: &dyn Fn(&TableAnnouncement),
) -> Result<Option<TableRead>, AthenaError> {
    session::block_on(async {
        let config = session::open(&request.login).await?;
        let region = Region::new(config.region().map_or("", AsRef::as_ref));
        let run = Run {
            client: Client::new(&config),
            request,
            workgroup: request.workgroup.as_deref().unwrap_or(WORKGROUP),
            catalog,
            region,
            watch,
        };
        Box::pin(run.everything(options, announce)).await
    })
}

struct Run<'r> {
    client: Client,
    request: &'r TableRequest,
    workgroup: &'r str,
    catalog: &'r Catalog,
    region: Region,
    watch: &'r dyn Watch,
}

/// What a workgroup imposes on queries.
#[derive(Default)]
struct Imposed {
    /// The bytes after which it stops one.
    limit: Option<u64>,
    /// It has its own place for results.
    ignores_output: bool,
}

impl Run<'_> {
    async fn everything(
        &self,
        options: &ImportOptions,
        announce: &dyn Fn(&TableAnnouncement),
    ) -> Result<Option<TableRead>, AthenaError> {
        let (table, size) = self.table().await?;
        let workgroup = self.workgroup_settings().await?;
        let query = Query::new(&table, self.request.month, self.catalog, options)?;
        announce(&TableAnnouncement {
            table: table.url(),
            kind: query.kind,
            month: self.request.month,
            sql: query.sql.clone(),
            is_pruned: query.is_pruned,
            table_size: size.map(|bytes| self.scan(bytes)),
            limit: workgroup.limit.map(|bytes| self.scan(bytes)),
            ignores_output: workgroup.ignores_output,
            least: self.scan(0),
        });
        if self.request.dry_run {
            return Ok(None);
        }
        let output = self.request.output.as_ref();
        let output = output.filter(|_| !workgroup.ignores_output);
        let id = self.start(&query, output).await?;
        let bytes = match self.wait(&id).await {
            Ok(bytes) => bytes,
            Err(error) => {
                if !matches!(
                    error,
                    AthenaError::QueryFailed(_) | AthenaError::QueryCancelled(_)
                ) {
                    // Nobody will read its answer. If that fails too, the first error says why.
                    let stop = self.client.stop_query_execution();
                    drop(stop.query_execution_id(&id).send().await);
                }
                return Err(error);
            }
        };
        let delivery = self.answer(&id, &query, options).await?;
        if delivery.slices.is_empty() {
            return Err(AthenaError::NoRows {
                table: table.url(),
                month: self.request.month,
            });
        }
        Ok(Some(TableRead {
            delivery,
            scanned: self.scan(bytes),
        }))
    }

    /// Returns the table, and its size if somebody counted it.
    async fn table(&self) -> Result<(Table, Option<u64>), AthenaError> {
        let request = self
            .client
            .get_table_metadata()
            .catalog_name(CATALOG)
            .database_name(&self.request.database)
            .table_name(&self.request.table)
            .set_work_group(self.request.workgroup.clone());
        let answer = ask(self.watch, Operation::GetTableMetadata, request.send())
            .await
            .map_err(|error| self.explain(error))?;
        let mut table = Table {
            database: self.request.database.clone(),
            name: self.request.table.clone(),
            columns: Vec::new(),
            partitions: Vec::new(),
            is_view: false,
        };
        let Some(found) = answer.table_metadata else {
            return Err(AthenaError::NoTable { table: table.url() });
        };
        table.columns = columns(found.columns());
        table.is_view = found.table_type() == Some("VIRTUAL_VIEW");
        table.partitions = columns(found.partition_keys());
        // The first is counted by Hive and Athena, the other by Glue's crawlers.
        let size = found.parameters().and_then(|parameters| {
            let mut known = ["totalSize", "sizeKey"].into_iter();
            known.find_map(|key| parameters.get(key)?.parse().ok())
        });
        Ok((table, size.filter(|size| *size > 0)))
    }

    /// Returns what the workgroup imposes, and finds out early that it runs no query.
    async fn workgroup_settings(&self) -> Result<Imposed, AthenaError> {
        let request = self.client.get_work_group().work_group(self.workgroup);
        let group = match ask(self.watch, Operation::GetWorkGroup, request.send()).await {
            Ok(answer) => answer.work_group,
            // The query itself will say so.
            Err(Unanswered {
                failure: Failure::Denied(_),
                ..
            }) => None,
            Err(error) => return Err(self.explain(error)),
        };
        if group.as_ref().and_then(WorkGroup::state) == Some(&WorkGroupState::Disabled) {
            return Err(AthenaError::WorkgroupDisabled(self.workgroup.to_owned()));
        }
        let Some(settings) = group.as_ref().and_then(WorkGroup::configuration) else {
            return Ok(Imposed::default());
        };
        let keeps_results = settings
            .managed_query_results_configuration()
            .is_some_and(|managed| managed.enabled);
        let has_output = settings
            .result_configuration()
            .and_then(ResultConfiguration::output_location)
            .is_some_and(|output| !output.is_empty());
        let is_named = self.request.output.is_some();
        if !keeps_results && !has_output && !is_named {
            return Err(AthenaError::NoOutput(self.workgroup.to_owned()));
        }
        let enforces = settings.enforce_work_group_configuration() == Some(true);
        let limit = settings.bytes_scanned_cutoff_per_query();
        Ok(Imposed {
            limit: limit.and_then(|bytes| u64::try_from(bytes).ok()),
            ignores_output: is_named && (keeps_results || enforces && has_output),
        })
    }

    async fn start(&self, query: &Query, output: Option<&String>) -> Result<String, AthenaError> {
        let database = QueryExecutionContext::builder()
            .catalog(CATALOG)
            .database(&self.request.database)
            .build();
        let output = output.map(|at| ResultConfiguration::builder().output_location(at).build());
        let request = self
            .client
            .start_query_execution()
            .query_string(&query.sql)
            .query_execution_context(database)
            .work_group(self.workgroup)
            .set_result_configuration(output);
        let answer = ask(self.watch, Operation::StartQueryExecution, request.send())
            .await
            .map_err(|error| self.explain(error))?;
        answer
            .query_execution_id
            .ok_or_else(|| AthenaError::Failed("Athena names no query".to_owned()))
    }

    /// Waits for the end of a query; returns the bytes it scanned.
    async fn wait(&self, id: &str) -> Result<u64, AthenaError> {
        let mut wait = FIRST_WAIT;
        loop {
            let request = self.client.get_query_execution().query_execution_id(id);
            let answer = ask(self.watch, Operation::GetQueryExecution, request.send())
                .await
                .map_err(|error| self.explain(error))?;
            let execution = answer.query_execution.as_ref();
            let scanned = execution
                .and_then(|e| e.statistics()?.data_scanned_in_bytes())
                .and_then(|bytes| u64::try_from(bytes).ok())
                .unwrap_or_default();
            let status = execution.and_then(|e| e.status());
            let reason = status.and_then(|s| s.state_change_reason());
            let reason = shortened(reason.unwrap_or_default(), 400);
            match status.and_then(|s| s.state()) {
                Some(QueryExecutionState::Succeeded) => return Ok(scanned),
                Some(QueryExecutionState::Failed) => {
                    return Err(AthenaError::QueryFailed(reason));
                }
                Some(QueryExecutionState::Cancelled) => {
                    let reason = match reason.as_str() {
                        "" => reason,
                        _ => format!(": {reason}"),
                    };
                    return Err(AthenaError::QueryCancelled(reason));
                }
                _ => {}
            }
            self.watch
                .progress(Path::new(&self.request.table), scanned, None, 0);
            let mut left = wait;
            while !left.is_zero() && !self.watch.cancelled() {
                let step = left.min(HEARING);
                sleep(step).await;
                left -= step;
            }
            wait = (wait * 3 / 2).min(LONGEST_WAIT);
        }
    }

    /// Reads the answer page by page.
    async fn answer(
        &self,
        id: &str,
        query: &Query,
        options: &ImportOptions,
    ) -> Result<Delivery, AthenaError> {
        let mut answer = query.answer(self.catalog, options);
        let mut pages = Pages::default();
        loop {
            let request = self
                .client
                .get_query_results()
                .query_execution_id(id)
                .max_results(PAGE)
                .set_next_token(pages.token());
            let page = ask(self.watch, Operation::GetQueryResults, request.send())
                .await
                .map_err(|error| self.explain(error))?;
            let mut rows = page.result_set().map_or(&[][..], |set| set.rows()).iter();
            // The names stand above the first page.
            if pages.number() == 1
                && !rows
                    .next()
                    .is_some_and(|names| fields(names).eq(query.columns()))
            {
                return Err(AthenaError::OtherColumns);
            }
            for row in rows {
                answer.row(fields(row))?;
            }
            let table = Path::new(&self.request.table);
            self.watch.progress(table, 0, None, answer.rows());
            let more = pages
                .turn(Operation::GetQueryResults, page.next_token)
                .map_err(|failure| self.explain(failure.into()))?;
            if !more {
                return Ok(answer.finish()?);
            }
        }
    }

    /// Prices a scan: at the region's price, else at the one that most regions have.
    fn scan(&self, bytes: u64) -> Scan {
        let billed = billed_scan(bytes);
        let meter = Meter::new(ATHENA, "DataScannedInTB");
        let price = |region: &Region| match self.catalog.lookup(&meter, region, self.request.today)
        {
            Lookup::Found(tariff) => match tariff.rate {
                Rate::PerUnit(price) => Some(price),
                _ => None,
            },
            _ => None,
        };
        let usual = Region::new("us-east-1");
        let (region, price) = match price(&self.region) {
            Some(price) => (self.region.clone(), Some(price)),
            None => (usual.clone(), price(&usual)),
        };
        Scan {
            bytes,
            billed,
            cost: price.map(|price| Money::of(billed.value, price)),
            is_of_another_region: region != self.region,
            region,
        }
    }

    /// Says what an error of AWS means. Of its words only those that are known are heard.
    fn explain(&self, unanswered: Unanswered) -> AthenaError {
        let Unanswered { failure, message } = unanswered;
        let says = |text: &str| message.to_lowercase().contains(text);
        let workgroup = || self.workgroup.to_owned();
        match failure {
            Failure::Fatal(CollectError::Stopped) => ImportError::Cancelled.into(),
            Failure::Fatal(error) => error.into(),
            Failure::RegionOff => CollectError::RegionOff(self.region.clone()).into(),
            Failure::Denied(denial) => AthenaError::Denied {
                what: denial.operation.action().to_owned(),
                by: denial.cause,
            },
            // The catalogue is asked in our name, and its refusal comes in other words.
            Failure::Failed { .. } if says("accessdenied") || says("not authorized") => {
                AthenaError::Denied {
                    what: "the table in the Glue catalogue (glue:GetTable)".to_owned(),
                    by: DeniedBy::read(&message),
                }
            }
            Failure::Failed {
                operation: Operation::GetTableMetadata,
                ..
            } if says("entitynotfound") || says("not found") => AthenaError::NoTable {
                table: format!("{}.{}", self.request.database, self.request.table),
            },
            Failure::Failed { .. } if says("workgroup") && says("not found") => {
                AthenaError::NoWorkgroup(workgroup())
            }
            Failure::Failed { .. } if says("workgroup") && says("disabled") => {
                AthenaError::WorkgroupDisabled(workgroup())
            }
            Failure::Failed { .. } if says("output location") => AthenaError::NoOutput(workgroup()),
            other => AthenaError::Failed(other.to_string()),
        }
    }
}

fn columns(found: &[Column]) -> Vec<TableColumn> {
    let column = |column: &Column| TableColumn {
        name: column.name().to_owned(),
        of: column.r#type().unwrap_or_default().to_lowercase(),
    };
    found.iter().map(column).collect()
}

fn fields(row: &Row) -> impl Iterator<Item = &str> {
    let data = row.data().iter();
    data.map(|field| field.var_char_value().unwrap_or_default())
}
