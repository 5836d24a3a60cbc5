"""Tables: the plant's data, scenarios, runs and their results."""

from .access import PlantLimit, visible_plants
from .orders import Customer, CustomerOrder, Goal
from .plant import Period, Plant, StagedUpload
from .products import Product, ProductPeriod, Route, RoutePeriod
from .recipes import ByProduct, ComponentRequirement, MaterialRequirement, ProductionRecipe
from .resources import Machine, MachinePeriod, RawMaterial, RawMaterialPeriod
from .results import (
    RESULT_TABLES,
    GoalResult,
    MaterialBalance,
    OrderResult,
    ProductBalance,
    Production,
    Utilization,
)
from .runs import Approval, Run, RunCopy, RunMove, RunSet, SetCopy
from .scenarios import BASELINE, Scenario, ScenarioChange
from .tables import TABLE_BY_NAME, TABLES, FormatTable
from .what_ifs import WhatIfSession

__all__ = [
    "BASELINE",
    "RESULT_TABLES",
    "TABLES",
    "TABLE_BY_NAME",
    "Approval",
    "ByProduct",
    "ComponentRequirement",
    "Customer",
    "CustomerOrder",
    "FormatTable",
    "Goal",
    "GoalResult",
    "Machine",
    "MachinePeriod",
    "MaterialBalance",
    "MaterialRequirement",
    "OrderResult",
    "Period",
    "Plant",
    "PlantLimit",
    "Product",
    "ProductBalance",
    "ProductPeriod",
    "Production",
    "ProductionRecipe",
    "RawMaterial",
    "RawMaterialPeriod",
    "Route",
    "RoutePeriod",
    "Run",
    "RunCopy",
    "RunMove",
    "RunSet",
    "Scenario",
    "ScenarioChange",
    "SetCopy",
    "StagedUpload",
    "Utilization",
    "WhatIfSession",
    "visible_plants",
]
