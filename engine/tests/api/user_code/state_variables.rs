//! State variables that a later run of a query no longer declares, or deletes.

use tidebook_engine::StateVariableKind;

use super::processors::{Run, World, run};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_variable_that_comes_back_holds_what_it_held() {
    use StateVariableKind::{List, Value};
    let world = World::new(1);
    let with = |variables| Run {
        time_mode: "None",
        mode: "append",
        variables,
        deleted: Vec::new(),
    };
    let both = with(vec![
        ("v", Value, "STRING", None),
        ("l", List, "STRING", None),
    ]);
    let one = with(vec![("v", Value, "STRING", None)]);
    let steps = [
        (&both, "v= 1; l+ a b"),
        (&one, "v?; v= 2"),
        (&one, "v?"),
        (&both, "v?; l?; l+ c"),
        (&both, "l?"),
    ];
    for (declared, todo) in steps {
        world.add(&[(1, "ann".into(), todo.into())]);
        run(&world, declared).await.unwrap();
    }
    let said = ["v? -> 1", "v? -> 2", "v? -> 2", "l? -> a,b", "l? -> a,b,c"];
    assert_eq!(world.taken(), said.map(|said| format!("ann {said}")));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_variable_that_is_deleted_is_as_new_when_it_comes_back() {
    use StateVariableKind::{List, Value};
    let world = World::new(1);
    let both = [("v", Value, "STRING", None), ("l", List, "STRING", None)];
    // What was a list holds a value, of another type, once it has been deleted.
    let changed = [("v", Value, "STRING", None), ("l", Value, "BIGINT", None)];
    let declared = |variables: &[_], deleted: &[&'static str]| Run {
        time_mode: "None",
        mode: "append",
        variables: variables.to_vec(),
        deleted: deleted.to_vec(),
    };
    let runs = [
        (declared(&both, &[]), "v= 1; l= a b"),
        (declared(&both[..1], &["l", "nothing"]), "v?"),
        (declared(&changed, &[]), "v?; l?; l= 7; l?"),
    ];
    for (run_of, todo) in &runs {
        world.add(&[(1, "ann".into(), (*todo).into())]);
        run(&world, run_of).await.unwrap();
    }
    let said = ["v? -> 1", "v? -> 1", "l? -> none", "l? -> 7"];
    assert_eq!(world.taken(), said.map(|said| format!("ann {said}")));
    // What is declared is not deleted by the way.
    let both_ways = declared(&changed, &["l"]);
    let error = run(&world, &both_ways).await.unwrap_err();
    assert!(
        error.message().contains("'l' is declared, and deleted"),
        "{error}"
    );
}
