//! A lesson as a notebook has it. What it reads is only there in a notebook: this shows that it
//! compiles, unchanged with the official client too (`tests/spark-connect`).

use tidebook::prelude::*;

fn lesson(spark: &SparkSession) -> Result<i64> {
    Ok(include!("cells/lesson.rs"))
}

fn main() -> Result<()> {
    println!("{} users", lesson(&spark)?);
    Ok(())
}
