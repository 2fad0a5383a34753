//! The forecasting study for people, and as JSON for a script.

use serde_json::{Value, json};

use super::{Answer, Block, Cell, Column, Document, Table, uncoded};
use crate::forecast::bench::{self, Bounded, Study};

/// Lays the study out: the whole, then each cut day and source.
pub fn answer(study: &Study, answers: &[bench::Answer], ms_per_series: f64) -> Answer<'static> {
    let mut table = Table::new(vec![
        Column::new("Windows", "part", 0),
        Column::new("Number", "windows", 2),
        Column::new("relAE AutoETS", "relae_autoets", 0),
        Column::new("relAE SNaive", "relae_snaive", 0),
        Column::new("Coverage of P10-P90", "coverage80", 0),
    ]);
    let row = |name: &str, windows: usize, ets: f64, naive: f64, coverage: f64| {
        vec![
            Cell::text(name),
            Cell::Count(windows as u64),
            Cell::text(format!("{ets:.3}")),
            Cell::text(format!("{naive:.3}")),
            Cell::text(format!("{coverage:.1} %")),
        ]
    };
    for part in &study.parts {
        table.rows.push(row(
            &part.name,
            part.windows,
            part.relae_autoets,
            part.relae_snaive,
            part.coverage80,
        ));
    }
    table.totals.push(row(
        "all",
        study.windows,
        study.relae_autoets.value,
        study.relae_snaive.value,
        study.coverage80.value,
    ));
    let bounds = |what: &str, figure: Bounded, digits: usize| {
        format!(
            "{what}: {:.digits$} [{:.digits$}, {:.digits$}]",
            figure.value, figure.low, figure.high
        )
    };
    let pinball = study.pinball_autoets.map_or_else(
        || "not in the file".to_owned(),
        |pinball| format!("{pinball:.4}"),
    );
    let lines = vec![
        bounds("relAE against AutoETS", study.relae_autoets, 3),
        bounds("relAE against SeasonalNaive", study.relae_snaive, 3),
        bounds("Coverage of the 80 % range, percent", study.coverage80, 1),
        format!(
            "Median WAPE: {:.3} (AutoETS {:.3})",
            study.median_wape, study.median_wape_autoets
        ),
        format!(
            "Pinball loss: {:.4} (AutoETS's paths {pinball})",
            study.pinball
        ),
        format!("Time: {ms_per_series:.2} ms a series"),
    ];
    let mut notes = vec![
        "relAE: geometric mean over series of (error + 2 % of the month) over the same of the \
         reference; below 1 is better."
            .to_owned(),
        "In brackets: 90 % bounds of a bootstrap by repository.".to_owned(),
    ];
    if study.left_out > 0 {
        notes.push(format!(
            "{} windows have no baseline and are left out.",
            study.left_out
        ));
    }
    let document = Document {
        title: format!(
            "Forecast study: {} windows of {} series",
            study.windows, study.series
        ),
        blocks: vec![
            Block::Table(table),
            Block::Lines(lines),
            Block::Notes(uncoded(notes)),
        ],
    };
    let rows = self::answers(answers);
    Answer::new(document, value(study, ms_per_series)).with_rows(move || rows.clone())
}

/// Returns the study for a script. These are statistics, so they are JSON numbers.
fn value(study: &Study, ms_per_series: f64) -> Value {
    let bounds = |figure: Bounded| json!([figure.low, figure.high]);
    let parts: Vec<Value> = study
        .parts
        .iter()
        .map(|part| {
            json!({
                "part": part.name,
                "windows": part.windows,
                "relae_autoets": part.relae_autoets,
                "relae_snaive": part.relae_snaive,
                "coverage80": part.coverage80,
            })
        })
        .collect();
    json!({
        "schema": "pipebill.forecast-bench/1",
        "windows": study.windows,
        "windows_left_out": study.left_out,
        "series": study.series,
        "relae_autoets": study.relae_autoets.value,
        "relae_autoets_90": bounds(study.relae_autoets),
        "relae_snaive": study.relae_snaive.value,
        "relae_snaive_90": bounds(study.relae_snaive),
        "coverage80": study.coverage80.value,
        "coverage80_90": bounds(study.coverage80),
        "pinball": study.pinball,
        "pinball_autoets": study.pinball_autoets,
        "median_wape": study.median_wape,
        "median_wape_autoets": study.median_wape_autoets,
        "ms_per_series": ms_per_series,
        "parts": parts,
    })
}

/// Renders the answers window by window as CSV, for fitting the range again.
fn answers(answers: &[bench::Answer]) -> String {
    let mut text =
        "id,forecast,p10,p50,p90,actual,offset,ln_s0,ln_sb,ln_ev,ln_h30,r4,few\n".to_owned();
    for answer in answers {
        let [low, middle, high] = answer.range;
        let facts: Vec<String> = answer.facts.iter().map(ToString::to_string).collect();
        text += &format!(
            "{},{},{low},{middle},{high},{},{},{}\n",
            super::csv::guarded(&answer.id).replace([',', '\n', '"'], "_"),
            answer.forecast,
            answer.actual,
            answer.offset,
            facts.join(",")
        );
    }
    text
}
