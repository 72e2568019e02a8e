//! All tests that need no more of a broker than its address, for each broker.

use acceptance::embedded_broker::EmbeddedBroker;
use acceptance::real_broker::RealBroker;

/// A test program's worth of tests for the broker at `$address`.
macro_rules! tests_on {
    ($broker:ident, $address:expr) => {
        tests_on!($broker, $address;
            checkpoint::{
                offsets_are_written_as_spark_writes_them,
                a_checkpoint_of_spark_goes_on_here,
                no_group_has_offsets,
                an_idle_run_says_where_it_stands,
                the_progress_tells_how_far_behind_the_query_is,
            }
            data_loss::{
                records_that_aged_out_between_two_runs,
                a_topic_that_was_made_anew,
                a_topic_that_is_gone,
                one_of_two_topics_is_deleted_while_running,
                a_partition_is_added_while_running,
                a_topic_appears_while_running,
                an_added_partition_without_its_first_records,
                a_partition_that_only_the_log_knows,
                a_restart_with_other_topics,
            }
            deleted::{
                a_topic_goes_before_a_query_knows_it,
                a_topic_goes_while_a_query_asks_for_it,
            }
            limits::{
                shares_of_max_offsets_per_trigger,
                shares_follow_what_is_left,
                once_ignores_limits,
                a_batch_waits_for_enough_records,
                available_now_ends_where_it_began,
            }
            options::{
                definitions_that_cannot_work_are_refused,
                settings_that_change_nothing_are_taken,
            }
            parsing::{
                json_in_sql_and_frames,
                malformed_values_and_wrong_encodings,
            }
            rows::{
                columns_and_rows,
                log_append_time,
                a_batch_is_in_order_of_partitions,
                parts_of_partitions,
            }
            sink::{
                columns_become_messages,
                rows_that_cannot_be_written,
                output_modes,
                batch_writes,
                a_restart_writes_what_is_missing,
            }
            starting::{
                where_a_stream_starts,
                starts_that_cannot_be_found,
                nothing_to_read_yet,
                a_restart_ignores_the_starting_options,
            }
            table::{
                where_a_table_begins_and_ends,
                tables_that_cannot_be_read,
                a_table_in_sql,
            }
            topics::{
                three_ways_to_choose,
                an_unknown_topic_is_named,
            }
            transactions::{
                aborted_messages_and_markers,
                a_killed_query_writes_every_row_once,
            }
        );
    };
    ($broker:ident, $address:expr; $($module:ident::{$($test:ident),+ $(,)?})+) => {
        mod $broker {
            use super::*;
            $(mod $module {
                use super::*;
                $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $test() {
                    super::super::super::$module::$test($address).await;
                })+
            })+
        }
    };
}

tests_on!(apache_kafka, &RealBroker::shared().address());
tests_on!(embedded, EmbeddedBroker::shared().address());
