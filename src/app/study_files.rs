//! The files of the forecasting study: windows as JSON Lines, baselines as CSV, plain or gzipped.

use std::{
    collections::BTreeMap,
    fs::File,
    io::{BufRead, BufReader, Read},
    path::Path,
};

use chrono::{Datelike, NaiveDate};
use flate2::bufread::MultiGzDecoder;
use serde::Deserialize;
use thiserror::Error;

use crate::forecast::bench::{Baseline, Window};

/// The longest line accepted: three hundred years of daily counts fit.
const LONGEST_LINE: u64 = 8 << 20;

/// Why a file of the study cannot be used.
#[derive(Debug, Error)]
pub enum StudyFileError {
    /// It cannot be read.
    #[error("cannot read {file}")]
    Unreadable {
        /// Which file.
        file: String,
        /// Why.
        source: std::io::Error,
    },
    /// A line is wrong.
    #[error("{file}, line {line}: {problem}")]
    Line {
        /// Which file.
        file: String,
        /// Which line, from 1.
        line: u64,
        /// What is wrong.
        problem: String,
    },
    /// There is nothing in it.
    #[error("{file} has no {what}")]
    Empty {
        /// Which file.
        file: String,
        /// What it should have.
        what: &'static str,
    },
}

#[derive(Deserialize)]
struct Line {
    id: String,
    series: String,
    origin: NaiveDate,
    cut: u32,
    #[serde(rename = "H")]
    days: usize,
    mtd: f64,
    hist: Vec<f64>,
    fut: Vec<f64>,
}

impl Line {
    fn window(self) -> Result<Window, String> {
        if self.days != self.fut.len() {
            return Err(format!(
                "H is {}, fut has {} days",
                self.days,
                self.fut.len()
            ));
        }
        if self.fut.is_empty() || self.hist.is_empty() {
            return Err("hist and fut need a day each".to_owned());
        }
        if !(1900..2200).contains(&self.origin.year()) {
            return Err(format!("origin {} is not a day of this age", self.origin));
        }
        let values = self.hist.iter().chain(&self.fut).chain([&self.mtd]);
        if values.into_iter().any(|value| value.abs() > 1e15) {
            return Err("a value is larger than 1e15".to_owned());
        }
        Ok(Window {
            id: self.id,
            series: self.series,
            origin: self.origin,
            cut: self.cut,
            month_to_date: self.mtd,
            history: self.hist,
            future: self.fut,
        })
    }
}

/// Reads windows.
pub(super) fn windows(path: &Path) -> Result<Vec<Window>, StudyFileError> {
    let file = path.display().to_string();
    let mut reader = open(path, &file)?;
    let mut windows: Vec<Window> = Vec::new();
    let mut text = String::new();
    for line in 1.. {
        text.clear();
        let wrong = |problem: String| StudyFileError::Line {
            file: file.clone(),
            line,
            problem,
        };
        let read = (&mut reader).take(LONGEST_LINE).read_line(&mut text);
        match read {
            Ok(0) => break,
            Ok(_) if text.len() as u64 == LONGEST_LINE => {
                return Err(wrong("the line is too long".to_owned()));
            }
            Ok(_) => {}
            Err(error) => return Err(wrong(error.to_string())),
        }
        if text.trim().is_empty() {
            continue;
        }
        let parsed: Line = serde_json::from_str(&text).map_err(|error| wrong(problem(&error)))?;
        windows.push(parsed.window().map_err(wrong)?);
    }
    if windows.is_empty() {
        return Err(StudyFileError::Empty {
            file,
            what: "windows",
        });
    }
    Ok(windows)
}

/// The words of a JSON error, without its line, which is always 1 here.
fn problem(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let end = text.find(" at line ").unwrap_or(text.len());
    format!("{} at column {}", &text[..end], error.column())
}

/// Reads baselines by window. Columns are found by name; the percentiles may be absent.
pub(super) fn baselines(path: &Path) -> Result<BTreeMap<String, Baseline>, StudyFileError> {
    let file = path.display().to_string();
    let mut reader = csv::Reader::from_reader(open(path, &file)?);
    let wrong = |line: u64, problem: String| StudyFileError::Line {
        file: file.clone(),
        line,
        problem,
    };
    let place = |error: &csv::Error| error.position().map_or(1, csv::Position::line);
    let headers = reader
        .headers()
        .map_err(|error| wrong(place(&error), error.to_string()))?
        .clone();
    let column = |name: &str| headers.iter().position(|header| header.trim() == name);
    let needed =
        |name: &str| column(name).ok_or_else(|| wrong(1, format!("there is no column {name}")));
    let (id, naive, ets) = (needed("id")?, needed("SNaive")?, needed("AutoETS")?);
    let range = ["AutoETS_p10", "AutoETS_p50", "AutoETS_p90"].map(column);
    let mut baselines = BTreeMap::new();
    for record in reader.records() {
        let record = record.map_err(|error| wrong(place(&error), error.to_string()))?;
        let line = record.position().map_or(0, csv::Position::line);
        let field = |at: usize| record.get(at).unwrap_or_default().trim();
        let number = |at: usize| -> Result<f64, StudyFileError> {
            let value = field(at).parse::<f64>().ok().filter(|v| v.is_finite());
            value.ok_or_else(|| {
                let shown: String = field(at).chars().take(40).collect();
                wrong(line, format!("{} is `{shown}`, not a number", &headers[at]))
            })
        };
        let auto_ets_range = match range {
            // A row may lack its percentiles even where the column is there.
            [Some(low), Some(middle), Some(high)]
                if [low, middle, high].iter().all(|&at| !field(at).is_empty()) =>
            {
                Some([number(low)?, number(middle)?, number(high)?])
            }
            _ => None,
        };
        let baseline = Baseline {
            seasonal_naive: number(naive)?,
            auto_ets: number(ets)?,
            auto_ets_range,
        };
        if baselines.insert(field(id).to_owned(), baseline).is_some() {
            return Err(wrong(line, format!("a second row for {}", field(id))));
        }
    }
    if baselines.is_empty() {
        return Err(StudyFileError::Empty {
            file,
            what: "baselines",
        });
    }
    Ok(baselines)
}

/// Opens a file, inflating it if it is gzipped, whatever its name.
fn open(path: &Path, file: &str) -> Result<Box<dyn BufRead>, StudyFileError> {
    let unreadable = |source| StudyFileError::Unreadable {
        file: file.to_owned(),
        source,
    };
    let mut reader = BufReader::new(File::open(path).map_err(unreadable)?);
    let gzipped = reader
        .fill_buf()
        .map_err(unreadable)?
        .starts_with(&[0x1f, 0x8b]);
    Ok(if gzipped {
        Box::new(BufReader::new(MultiGzDecoder::new(reader)))
    } else {
        Box::new(reader)
    })
}
