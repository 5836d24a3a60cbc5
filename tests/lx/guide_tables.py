"""The guides' tables as SQLAlchemy classes, filled with the furniture workshop, and their helpers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sqlalchemy import Column, Engine, Float, ForeignKey, Integer, String, create_engine
from sqlalchemy.orm import DeclarativeBase, Session, relationship

from tests.factories import HOURS, MACHINES, MATERIALS, PRODUCTS, QUANTITIES


class Base(DeclarativeBase):
    pass


class Product(Base):
    __tablename__ = "products"
    id = Column(Integer, primary_key=True)
    name = Column(String, nullable=False, unique=True)
    profit_per_unit = Column(Float, nullable=False)
    min_demand = Column(Float, nullable=False, default=0.0)
    max_demand = Column(Float, nullable=False)
    machine_requirements = relationship("ProductionRecipe")
    materials = relationship("RawMaterial", secondary="material_requirements", viewonly=True)


class Machine(Base):
    __tablename__ = "machines"
    id = Column(Integer, primary_key=True)
    name = Column(String, nullable=False, unique=True)
    available_hours = Column(Float, nullable=False)


class RawMaterial(Base):
    __tablename__ = "raw_materials"
    id = Column(Integer, primary_key=True)
    name = Column(String, nullable=False, unique=True)
    available_quantity = Column(Float, nullable=False)
    cost_per_unit = Column(Float, nullable=False)


class ProductionRecipe(Base):
    __tablename__ = "production_recipes"
    id = Column(Integer, primary_key=True, autoincrement=True)
    product_id = Column(Integer, ForeignKey("products.id"), nullable=False)
    machine_id = Column(Integer, ForeignKey("machines.id"), nullable=False)
    hours_required = Column(Float, nullable=False)


class MaterialRequirement(Base):
    __tablename__ = "material_requirements"
    id = Column(Integer, primary_key=True, autoincrement=True)
    product_id = Column(Integer, ForeignKey("products.id"), nullable=False)
    material_id = Column(Integer, ForeignKey("raw_materials.id"), nullable=False)
    quantity_required = Column(Float, nullable=False)


class ProductionSchedule(Base):
    __tablename__ = "production_schedules"
    id = Column(Integer, primary_key=True, autoincrement=True)
    product_id = Column(Integer, ForeignKey("products.id"), nullable=False)
    quantity = Column(Float, nullable=False)
    profit_contribution = Column(Float, nullable=False)


class ResourceUtilization(Base):
    __tablename__ = "resource_utilization"
    id = Column(Integer, primary_key=True, autoincrement=True)
    resource_type = Column(String, nullable=False)
    resource_id = Column(Integer, nullable=False)
    resource_name = Column(String, nullable=False)
    used = Column(Float, nullable=False)
    available = Column(Float, nullable=False)
    utilization_pct = Column(Float, nullable=False)


class Lecture(Base):
    __tablename__ = "lectures"
    id = Column(Integer, primary_key=True)
    teacher = Column(String, nullable=False)
    students = Column(Integer, nullable=False)


class TimeSlot(Base):
    __tablename__ = "timeslots"
    id = Column(Integer, primary_key=True)
    day = Column(String, nullable=False)


class Classroom(Base):
    __tablename__ = "classrooms"
    id = Column(Integer, primary_key=True)
    seats = Column(Integer, nullable=False)


def init_database(url: str = "sqlite://") -> Engine:
    """Return an engine whose database has the tables."""
    engine = create_engine(url)
    Base.metadata.create_all(engine)
    return engine


def get_session(engine: Engine) -> Session:
    return Session(engine)


def populate(session: Session) -> None:
    """Write the furniture workshop."""
    machines = [
        Machine(id=number, name=name, available_hours=hours)
        for number, (name, hours) in enumerate(MACHINES.items(), start=1)
    ]
    materials = [
        RawMaterial(id=number, name=name, available_quantity=quantity, cost_per_unit=cost)
        for number, (name, (_, quantity, cost)) in enumerate(MATERIALS.items(), start=1)
    ]
    session.add_all([*machines, *materials])
    for number, (name, (profit, low, high)) in enumerate(PRODUCTS.items(), start=1):
        session.add(Product(id=number, name=name, profit_per_unit=profit, min_demand=low, max_demand=high))
        for machine, hours in enumerate(HOURS[name], start=1):
            session.add(ProductionRecipe(product_id=number, machine_id=machine, hours_required=hours))
        for material, quantity in enumerate(QUANTITIES[name], start=1):
            if quantity is not None:
                session.add(MaterialRequirement(product_id=number, material_id=material, quantity_required=quantity))
    session.commit()


def create_cached_machine_hours_checker(session: Session) -> Callable[[int, int], float]:
    """Return a function of product and machine that reads all recipes once, here."""
    hours: dict[Any, float] = {(r.product_id, r.machine_id): r.hours_required for r in session.query(ProductionRecipe)}

    def get_hours(product_id: int, machine_id: int) -> float:
        return hours.get((product_id, machine_id), 0.0)

    return get_hours


def create_cached_material_requirement_checker(session: Session) -> Callable[[int, int], float]:
    """Return a function of product and material that reads all requirements once, here."""
    held = session.query(MaterialRequirement)
    quantities: dict[Any, float] = {(r.product_id, r.material_id): r.quantity_required for r in held}

    def get_material(product_id: int, material_id: int) -> float:
        return quantities.get((product_id, material_id), 0.0)

    return get_material
