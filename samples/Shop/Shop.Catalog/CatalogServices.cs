using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;

namespace Shop.Catalog;

public static class CatalogServices
{
    /// <summary>
    /// Adds the catalogue: in SQL Server or PostgreSQL, as <c>Catalog:Provider</c> says. Connects when it is first asked for something.
    /// </summary>
    public static IServiceCollection AddCatalog(this IServiceCollection services, IConfiguration configuration)
    {
        var connection = configuration.GetConnectionString("Catalog");
        return services.AddDbContext<CatalogContext>(options =>
            _ = configuration["Catalog:Provider"] switch
            {
                "Postgres" => options.UseNpgsql(connection, npgsql => npgsql.EnableRetryOnFailure()),
                _ => options.UseSqlServer(connection, server => server.EnableRetryOnFailure()),
            }
        );
    }
}
