//! What reading an export costs before anybody looks at it: the distance to this is ours.
//!
//! ```text
//! limits gunzip FILE…           unpacks the files, on every core
//! limits pages COLUMNS FILE…    reads and unpacks the pages of these columns (with commas between)
//! ```

use std::{
    env,
    error::Error,
    fs::File,
    io::{BufReader, Read, Write},
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
    thread,
};

use flate2::read::MultiGzDecoder;
use parquet::{
    column::page::PageReader,
    file::{
        reader::{FileReader, SerializedFileReader},
        serialized_reader::SerializedPageReader,
    },
};

type Result<T> = std::result::Result<T, Box<dyn Error + Send + Sync>>;

fn main() -> Result<()> {
    let mut arguments = env::args().skip(1);
    let kind = arguments.next().ok_or("gunzip or pages?")?;
    let columns = match kind.as_str() {
        "gunzip" => None,
        "pages" => Some(arguments.next().ok_or("which columns?")?),
        other => return Err(format!("{other}: gunzip or pages?").into()),
    };
    let columns: Option<Vec<&str>> = columns.as_ref().map(|columns| columns.split(',').collect());
    let files: Vec<PathBuf> = arguments.map(PathBuf::from).collect();

    let (next, bytes) = (AtomicUsize::new(0), AtomicU64::new(0));
    let work = || -> Result<()> {
        while let Some(file) = files.get(next.fetch_add(1, Ordering::Relaxed)) {
            let file = File::open(file)?;
            let count = match &columns {
                None => gunzip(file)?,
                Some(columns) => pages(file, columns)?,
            };
            bytes.fetch_add(count, Ordering::Relaxed);
        }
        Ok(())
    };
    thread::scope(|scope| -> Result<()> {
        let cores = thread::available_parallelism()?.get();
        let threads: Vec<_> = (0..cores).map(|_| scope.spawn(work)).collect();
        threads
            .into_iter()
            .try_for_each(|thread| thread.join().expect("no thread panics"))
    })?;
    writeln!(std::io::stdout(), "{} bytes unpacked", bytes.into_inner())?;
    Ok(())
}

fn gunzip(file: File) -> Result<u64> {
    let mut unpacked = MultiGzDecoder::new(BufReader::with_capacity(256 * 1024, file));
    let mut buffer = vec![0; 128 * 1024];
    let mut bytes = 0;
    loop {
        match unpacked.read(&mut buffer)? {
            0 => return Ok(bytes),
            count => bytes += count as u64,
        }
    }
}

fn pages(file: File, columns: &[&str]) -> Result<u64> {
    let file = Arc::new(file);
    let reader = SerializedFileReader::new(file.try_clone()?)?;
    let mut bytes = 0;
    for group in reader.metadata().row_groups() {
        let rows = usize::try_from(group.num_rows())?;
        for column in group.columns() {
            let root = column.column_path().parts().first();
            if !root.is_some_and(|root| columns.contains(&root.as_str())) {
                continue;
            }
            let mut pages = SerializedPageReader::new(file.clone(), column, rows, None)?;
            while let Some(page) = pages.get_next_page()? {
                bytes += page.buffer().len() as u64;
            }
        }
    }
    Ok(bytes)
}
