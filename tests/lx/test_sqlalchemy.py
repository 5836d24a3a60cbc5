"""Rows of SQLAlchemy: read from memory, never through their session, and changed without it noticing."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import JSON, Column, Float, ForeignKey, Integer, Numeric, String, Table, create_engine, event
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.hybrid import hybrid_property
from sqlalchemy.orm import (
    DeclarativeBase,
    Session,
    attribute_keyed_dict,
    defer,
    joinedload,
    load_only,
    relationship,
    scoped_session,
    selectinload,
    sessionmaker,
)

from planning.lx import (
    LXConstraint,
    LXDetachError,
    LXIndexDimension,
    LXLinearExpression,
    LXModel,
    LXModelError,
    LXNotLoadedError,
    LXOptimizer,
    LXRows,
    LXVariable,
    apply_to_fresh,
    detach_orm_object,
    materialize_and_detach_list,
)


class Base(DeclarativeBase):
    pass


made_of = Table(
    "made_of",
    Base.metadata,
    Column("product_id", ForeignKey("products.id"), primary_key=True),
    Column("material_id", ForeignKey("materials.id"), primary_key=True),
)


class Product(Base):
    __tablename__ = "products"
    id = Column(Integer, primary_key=True)
    name = Column(String)
    profit_per_unit = Column(Float)
    price = Column(Numeric(10, 2))
    options = Column(JSON)
    recipes = relationship("Recipe", back_populates="product")
    materials = relationship("Material", secondary=made_of)
    label = relationship("Label", uselist=False, back_populates="product")
    by_machine = relationship("Recipe", collection_class=attribute_keyed_dict("machine_id"), viewonly=True)
    steps = relationship("Recipe", collection_class=set, viewonly=True)
    detached_properties = ("hours", "twice")

    @property
    def hours(self) -> float:
        return sum(recipe.hours_required for recipe in self.recipes)

    @hybrid_property
    def twice(self) -> Any:
        return self.profit_per_unit * 2


class Label(Base):
    __tablename__ = "labels"
    id = Column(Integer, primary_key=True)
    text = Column(String)
    product_id = Column(ForeignKey("products.id"))
    product = relationship("Product", back_populates="label")


class Material(Base):
    __tablename__ = "materials"
    id = Column(Integer, primary_key=True)
    name = Column(String)


class Machine(Base):
    __tablename__ = "machines"
    id = Column(Integer, primary_key=True)
    name = Column(String)
    available_hours = Column(Float)


class Recipe(Base):
    __tablename__ = "recipes"
    product_id = Column(ForeignKey("products.id"), primary_key=True)
    machine_id = Column(ForeignKey("machines.id"), primary_key=True)
    hours_required = Column(Float)
    product = relationship("Product", back_populates="recipes")
    machine = relationship("Machine")


@pytest.fixture
def session() -> Iterator[Session]:
    engine = create_engine("sqlite://")
    Base.metadata.create_all(engine)
    with Session(engine) as session:
        wood, metal = Material(id=1, name="Wood"), Material(id=2, name="Metal")
        for number, (name, profit) in enumerate([("Chair", 45.0), ("Table", 120.0)], start=1):
            session.add(
                Product(
                    id=number,
                    name=name,
                    profit_per_unit=profit,
                    price="19.90",
                    options={"a": [1]},
                    materials=[wood, metal],
                )
            )
        session.add(Label(id=1, text="new", product_id=1))
        session.add_all(
            [Machine(id=1, name="Saw", available_hours=80.0), Machine(id=2, name="Drill", available_hours=90.0)]
        )
        session.add_all(
            [Recipe(product_id=p, machine_id=m, hours_required=p * 0.5 + m) for p in (1, 2) for m in (1, 2)]
        )
        session.commit()
        yield session
    engine.dispose()


@pytest.fixture
def queries(session: Session) -> list[str]:
    """Return the statements that are executed from here on."""
    seen: list[str] = []
    event.listen(session.get_bind(), "before_cursor_execute", lambda *args: seen.append(args[2]))
    return seen


class TestRows:
    def test_hold_columns_and_what_was_loaded_after_the_session_is_closed(self, session: Session) -> None:
        query = session.query(Product).options(joinedload(Product.recipes), joinedload(Product.materials))
        rows = materialize_and_detach_list(query.order_by(Product.id))
        session.close()
        chair, table = rows
        assert (chair.id, chair.pk, chair.name, chair.profit_per_unit) == (1, 1, "Chair", 45.0)
        assert str(chair.price) == "19.90"
        assert [recipe.hours_required for recipe in chair.recipes] == [1.5, 2.5]
        assert chair.recipes[0].product is chair
        assert [material.name for material in chair.materials] == ["Wood", "Metal"]
        assert chair.materials[0] is table.materials[0]

    def test_that_were_not_loaded_raise_and_name_joinedload(self, session: Session, queries: list[str]) -> None:
        chair = detach_orm_object(session.query(Product).filter_by(name="Chair").one())
        assert len(queries) == 1
        with pytest.raises(LXNotLoadedError, match=r"Product\.recipes was not loaded.*joinedload\(Product\.recipes\)"):
            _ = chair.recipes
        recipe = detach_orm_object(session.query(Recipe).first())
        with pytest.raises(LXNotLoadedError, match=r"Recipe\.machine was not loaded.*joinedload\(Recipe\.machine\)"):
            _ = recipe.machine
        assert len(queries) == 2

    def test_that_expired_keep_their_key_and_raise_for_the_rest(self, session: Session, queries: list[str]) -> None:
        product = session.get(Product, 1)
        session.commit()
        queries.clear()
        chair = detach_orm_object(product)
        assert chair.pk == 1
        with pytest.raises(LXNotLoadedError, match=r"Product\.name was not loaded"):
            _ = chair.name
        assert queries == []

    def test_to_one_other_row_are_records_or_none(self, session: Session) -> None:
        rows = materialize_and_detach_list(
            session.query(Product).options(joinedload(Product.label)).order_by(Product.id)
        )
        assert [row.label and row.label.text for row in rows] == ["new", None]
        assert rows[0].label.product is rows[0]

    def test_of_one_memo_are_one_record_each_and_linked(self, session: Session) -> None:
        memo: dict[Any, Any] = {}
        machines = materialize_and_detach_list(session.query(Machine).all(), memo)
        recipes = materialize_and_detach_list(session.query(Recipe), memo)
        assert recipes[0].machine is machines[0]
        assert detach_orm_object(session.get(Machine, 2), memo) is machines[1]
        assert machines[0] == session.get(Machine, 1)
        assert machines[0] != session.get(Machine, 2)
        assert machines[0] != session.get(Product, 1)

    def test_change_without_the_session_noticing(self, session: Session, queries: list[str]) -> None:
        everything = (joinedload(Product.recipes), joinedload(Product.materials), joinedload(Product.label))
        product = session.query(Product).options(*everything).first()
        queries.clear()
        for chair in (detach_orm_object(product), copy.deepcopy(detach_orm_object(product))):
            chair.profit_per_unit = 1.0
            chair.name = None
            chair.options["a"].append(2)
            chair.options = {}
            chair.recipes[0].hours_required = 9.0
            chair.materials[0].name = "Gold"
            chair.label.text = "old"
            chair.label.product.profit_per_unit = 2.0
            chair._table.columns["profit_per_unit"].values[:] = 3.0
        assert not session.dirty
        assert not session.new
        assert not session.deleted
        assert queries == []
        session.commit()
        assert (product.name, product.profit_per_unit, product.options) == ("Chair", 45.0, {"a": [1]})
        assert (product.recipes[0].hours_required, product.materials[0].name) == (1.5, "Wood")
        assert product.label.text == "new"

    @pytest.mark.parametrize("method", ["add", "merge", "delete", "refresh", "expunge", "__contains__"])
    def test_are_refused_by_the_session(self, session: Session, method: str) -> None:
        chair = detach_orm_object(session.get(Product, 1))
        with pytest.raises(LXDetachError, match=r"A detached record of .*Product has no .* with apply_to_fresh"):
            getattr(session, method)(chair)

    @pytest.mark.parametrize(
        "use",
        [
            lambda session, row: setattr(session.get(Label, 1), "product", row),
            lambda session, row: session.get(Product, 2).recipes.append(row),
            lambda session, row: Label(product=row),
            lambda session, row: session.bulk_save_objects([row]),
            lambda session, row: session.query(Label).filter(Label.product == row).all(),
            lambda session, row: session.query(Label).filter(Label.product_id == row).all(),
            lambda session, row: session.query(Product).filter(Product.name == row).all(),
            lambda session, row: session.get(Product, row),
        ],
    )
    def test_are_no_value_of_a_relation_or_query(self, session: Session, use: Any) -> None:
        chair = detach_orm_object(session.get(Product, 1))
        with pytest.raises((LXDetachError, SQLAlchemyError), match=r"apply_to_fresh|Mapped instance|LXRecord"):
            use(session, chair)
        session.rollback()
        assert session.get(Label, 1).product_id == chair.pk
        assert session.query(Label).filter(Label.product_id == chair.pk).count() == 1

    def test_that_are_deferred_raise_for_the_column(self, session: Session, queries: list[str]) -> None:
        product = session.query(Product).options(defer(Product.profit_per_unit), load_only(Product.name)).first()
        queries.clear()
        chair = detach_orm_object(product)
        assert (chair.pk, chair.name) == (1, "Chair")
        with pytest.raises(LXNotLoadedError, match=r"Product\.profit_per_unit was not loaded.*read the row \(again\)"):
            _ = chair.profit_per_unit
        assert queries == []

    def test_of_a_closed_session_are_detached_with_what_they_hold(self, session: Session, queries: list[str]) -> None:
        whole = session.get(Product, 1)
        expired = session.get(Product, 2)
        session.expire(expired, ["name"])
        session.close()
        queries.clear()
        rows = materialize_and_detach_list([whole, expired])
        assert [(row.pk, row.profit_per_unit) for row in rows] == [(1, 45.0), (2, 120.0)]
        assert rows[0].name == "Chair"
        with pytest.raises(LXNotLoadedError, match=r"Product\.name was not loaded"):
            _ = rows[1].name
        assert queries == []

    def test_take_the_same_number_of_queries_for_many(self, session: Session, queries: list[str]) -> None:
        session.add_all(
            [
                Recipe(product=Product(name=str(n), profit_per_unit=1.0), machine_id=1, hours_required=1.0)
                for n in range(50)
            ]
        )
        session.commit()
        for limit in (1, 52):
            session.expunge_all()
            queries.clear()
            query = session.query(Product).options(selectinload(Product.recipes).joinedload(Recipe.machine))
            rows = materialize_and_detach_list(query.limit(limit))
            assert len(rows) == limit
            assert {recipe.machine.name for row in rows for recipe in row.recipes} <= {"Saw", "Drill"}
            assert len(queries) == 2

    def test_of_a_set_are_records_and_of_a_dictionary_are_refused_when_it_is_read(self, session: Session) -> None:
        query = session.query(Product).options(selectinload(Product.by_machine), selectinload(Product.steps))
        chair = materialize_and_detach_list(query.order_by(Product.id))[0]
        assert sorted(step.hours_required for step in chair.steps) == [1.5, 2.5]
        with pytest.raises(LXNotLoadedError, match=r"Product\.by_machine is loaded as a dictionary, and detached rows"):
            _ = chair.by_machine

    def test_of_several_keys_are_found_by_all_of_them(self, session: Session) -> None:
        recipes = materialize_and_detach_list(session.query(Recipe).order_by(Recipe.product_id, Recipe.machine_id))
        assert [recipe.pk for recipe in recipes] == [(1, 1), (1, 2), (2, 1), (2, 2)]
        assert recipes[1] == session.get(Recipe, (1, 2))
        use = LXVariable[Any, float]("use").bounds(upper=1).from_data(recipes)
        model = LXModel("m").add_variable(use).maximize(LXLinearExpression().add_term(use, lambda r: r.hours_required))
        assert LXOptimizer().solve(model).variables["use"][1, 2] == 1.0
        session.query(Recipe).filter_by(product_id=1, machine_id=2).update({"hours_required": 9.0})
        session.expunge_all()
        done = apply_to_fresh({row: {"hours_required": 1.0} for row in recipes}, session.query(Recipe))
        assert [(change.record, change.then, change.now) for change in done.changed] == [(recipes[1], 2.5, 9.0)]

    def test_have_the_properties_that_their_class_declares(self, session: Session, queries: list[str]) -> None:
        rows = materialize_and_detach_list(session.query(Product).options(selectinload(Product.recipes)))
        assert len(queries) == 2
        assert [(row.hours, row.twice) for row in rows] == [(4.0, 90.0), (5.0, 240.0)]
        alone = detach_orm_object(session.query(Product).populate_existing().first())
        assert alone.twice == 90.0

    def test_that_contradict_their_key_are_refused(self, session: Session) -> None:
        label = session.get(Label, 1)
        with session.no_autoflush:
            label.product = session.get(Product, 2)
            with pytest.raises(LXModelError, match="has product_id 1 but its product is 2"):
                detach_orm_object(label)

    def test_without_a_key_are_refused(self) -> None:
        with pytest.raises(LXModelError, match="no primary key"):
            detach_orm_object(Product(name="x"))

    def test_of_several_models_are_detached_in_their_tuples(self, session: Session) -> None:
        pairs = materialize_and_detach_list(session.query(Product, Recipe).join(Recipe).all())
        assert [(product.name, recipe.product is product) for product, recipe in pairs] == [
            ("Chair", True),
            ("Chair", True),
            ("Table", True),
            ("Table", True),
        ]


def family(**source: Any) -> LXVariable[Product, float]:
    return LXVariable[Product, float]("make").bounds(upper=10).indexed_by(lambda p: p.id)


class TestFamilies:
    def test_read_the_model_that_is_given_or_named(self, session: Session, queries: list[str]) -> None:
        for make in (
            family().from_model(Product, session),
            family().from_model(session),
            family().from_model(session.query(Product)),
            family().from_model(scoped_session(sessionmaker(session.get_bind()))),
        ):
            queries.clear()
            assert isinstance(make.rows, LXRows)
            assert make.keys == [1, 2]
            assert len(queries) == 1
        hours = LXConstraint[Machine]("hours").indexed_by(lambda m: m.id).from_model(session)
        hours.expression(LXLinearExpression()).le()
        hours.materialize({})
        assert hours.keys == [1, 2]

    def test_without_a_model_are_refused(self, session: Session) -> None:
        with pytest.raises(LXModelError, match="does not say which model"):
            LXVariable("make").from_model(session)
        with pytest.raises(LXModelError, match="Give the session too"):
            family().from_model(Product)
        with pytest.raises(LXModelError, match="got"):
            family().from_model(object, session)

    def test_are_solved_after_the_session_is_closed(self, session: Session) -> None:
        hours = {(r.product_id, r.machine_id): r.hours_required for r in session.query(Recipe)}
        make = family().from_model(Product, session)
        model = LXModel("orm").add_variable(make)
        for machine in session.query(Machine).all():
            expression = LXLinearExpression().add_multi_term(make, coeff=lambda p, m=machine: hours[p.id, m.id])
            model.add_constraint(
                LXConstraint(f"machine_{machine.id}").expression(expression).le().rhs(machine.available_hours)
            )
        model.maximize(LXLinearExpression().add_term(make, lambda p: p.profit_per_unit))
        solution = LXOptimizer().solve(model)
        assert solution.objective_value == pytest.approx(1650.0)
        assert solution.variables["make"][session.get(Product, 1)] == pytest.approx(10)


def test_dimensions_are_read_through_a_session(session: Session) -> None:
    amount = LXVariable[Any, float]("amount").indexed_by_product(
        LXIndexDimension(Product, lambda p: p.id).from_model(session),
        LXIndexDimension(Material, lambda m: m.id).from_model(session),
    )
    model = LXModel("m").add_variable(amount.bounds(upper=1))
    session.close()
    model.maximize(LXLinearExpression().add_term(amount, lambda p, m: p.profit_per_unit * m.id))
    assert LXOptimizer().solve(model).objective_value == pytest.approx((45 + 120) * (1 + 2))


def test_a_dimension_needs_a_session_for_a_mapped_class() -> None:
    with pytest.raises(LXModelError, match="Give the session too"):
        LXIndexDimension(Product, lambda p: p.id).from_model()
