"""Staff routes, one file for each noun; every route declares an access rule."""

from services.api.staff.routes import (
    accounts,
    auth,
    break_glass,
    contests,
    dhis2,
    families,
    hand_outs,
    imports,
    me,
    programme,
    recoveries,
    sites,
    surveys,
    traces,
    usage,
    usage_exports,
    watches,
)

ROUTERS = (
    auth.router,
    me.router,
    sites.router,
    accounts.router,
    recoveries.router,
    hand_outs.router,
    break_glass.router,
    contests.router,
    watches.router,
    traces.router,
    families.router,
    imports.router,
    programme.router,
    surveys.router,
    usage.router,
    usage_exports.router,
    dhis2.router,
)
"""Every staff router, in the order of the OpenAPI document."""
