"""Rows of SQLAlchemy: read from memory, never through their session, and changed without it noticing."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import JSON, Column, Float, ForeignKey, Integer, Numeric, String, Table, create_engine, event
from sqlalchemy.orm import DeclarativeBase, Session, joinedload, relationship, scoped_session, sessionmaker

from planning.lx import (
    LXConstraint,
    LXIndexDimension,
    LXLinearExpression,
    LXModel,
    LXModelError,
    LXNotLoadedError,
    LXOptimizer,
    LXRows,
    LXVariable,
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

    def test_change_without_the_session_noticing(self, session: Session) -> None:
        product = session.get(Product, 1)
        chair = detach_orm_object(product)
        chair.profit_per_unit = 1.0
        chair.options["a"].append(2)
        assert not session.dirty
        assert not session.new
        session.commit()
        assert product.profit_per_unit == 45.0
        assert product.options == {"a": [1]}

    def test_are_refused_by_the_session(self, session: Session) -> None:
        with pytest.raises(Exception, match="is not mapped"):
            session.add(detach_orm_object(session.get(Product, 1)))

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
